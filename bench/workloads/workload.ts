// What a workload is: a load pattern that, at a given scale, says what one round asks of the load
// generator. Enters: a scale from a profile or the command line. Leaves: a Load, which
// bench/measure turns into arguments.

/** The size of one cell. */
export interface Scale {
  readonly connections: number;
  readonly payloadBytes: number;
  /** Messages a second over all connections; null where the workload has no rate of its own. */
  readonly ratePerSecond: number | null;
}

/** One round's demand on the load generator, its timing apart. */
export type Load = OpenLoad | ClosedLoad;

interface Connected {
  readonly connections: number;
  /** How many of the connections carry messages. */
  readonly activeConnections: number;
  readonly payloadBytes: number;
}

/** Messages are due on a schedule, whether or not earlier ones are back. */
export interface OpenLoad extends Connected {
  readonly mode: "open";
  readonly ratePerSecond: number;
  readonly schedule: "poisson" | "fixed";
}

/** A message is sent when another one is back. */
export interface ClosedLoad extends Connected {
  readonly mode: "closed";
  /** Messages under way over all connections. */
  readonly inFlight: number;
}

export interface Workload {
  readonly name: string;
  /** The question that it answers, as one phrase. */
  readonly answers: string;
  readonly load: (scale: Scale) => Load;
}
