// Role: what many connections share, so that each one keeps little.

import type { ConnectionHandlers } from "./connection.ts";
import type { Submitter } from "./submissions.ts";

/** What the connections of a server, or of one call, have in common. Not public. */
export interface Role<T = undefined> {
  readonly engine: Submitter;
  readonly handlers: ConnectionHandlers<T>;
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly allowHalfOpen: boolean;
  /** Called before the `close` handler. */
  readonly closed: (() => void) | null;
}
