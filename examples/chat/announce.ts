// What a worker tells its arbiter. Leaves: one JSON line an event, on the worker's standard output.

export type Announce = (event: {
  readonly event: string;
  readonly [field: string]: unknown;
}) => void;
