// The languages and runtimes that contenders run on, one row each: how reports name and mark them.

export interface RuntimeRow {
  readonly title: string;
  /** False if the names of its contenders do not begin with its own. */
  readonly prefix?: false;
  /** The outline of its mark in charts. */
  readonly shape: "circle" | "diamond" | "square" | "triangle" | "hexagon" | "star";
  /** Whether its colours are the softer tone of its strategies' hues. */
  readonly soft: boolean;
  /** The engine whose cost its figures include; its lines are dashed. */
  readonly engine: string | null;
  /**
   * How servers warm up that may compile while they run: under the load itself, or first in a
   * closed loop, which some compilers need for more messages than a load has time for.
   */
  readonly warmup: "none" | "load" | "closed-loop";
}

export const runtimes = {
  cpp: { title: "native servers", shape: "circle", soft: false, engine: null, warmup: "none" },
  ts: {
    ...{ title: "this library's", shape: "diamond", soft: true },
    ...{ engine: "JavaScript", warmup: "load" },
  },
  node: {
    ...{ title: "Node's own", shape: "square", soft: false },
    ...{ engine: "JavaScript", warmup: "load" },
  },
  // What a user would use otherwise, in other languages and on other libraries.
  peer: {
    ...{ prefix: false, title: "other languages and libraries" },
    ...{ shape: "star", soft: false, engine: "language", warmup: "closed-loop" },
  },
  // A server that is not of this suite, of which nothing is known.
  foreign: {
    ...{ prefix: false, title: "other servers", shape: "triangle", soft: false },
    ...{ engine: null, warmup: "load" },
  },
} as const satisfies Readonly<Record<string, RuntimeRow>>;

export type Runtime = keyof typeof runtimes;

/** The row of a runtime, with the types of any row. */
export function runtimeRow(runtime: Runtime): RuntimeRow {
  return runtimes[runtime];
}

/** What a contender runs on and how it waits: what its mark and its cautions follow from. */
export interface Kind {
  readonly runtime: Runtime;
  readonly strategy: string;
}

/** Their names by engine, as the first parts of contenders' names. */
export function runtimesWith(engine: string): Runtime[] {
  const names = Object.keys(runtimes) as Runtime[];
  return names.filter((name) => runtimes[name].engine === engine);
}
