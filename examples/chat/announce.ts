// The messages of a worker to its arbiter.

export type Announce = (event: {
  readonly event: string;
  readonly [field: string]: unknown;
}) => void;
