// Role: the settings and handlers that the connections of one server or one connect share, so that
// each connection keeps little.

import type { ConnectionHandlers } from "./connection.ts";
import type { Submitter } from "./submissions.ts";

/** What the connections of a server, or of one call, have in common. Not public. */
export interface Role<T = undefined> {
  readonly engine: Submitter;
  readonly handlers: ConnectionHandlers<T>;
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly allowHalfOpen: boolean;
  /** Whether what took it over ends this side (a stream, an iterator); false unless given. */
  readonly endsItself?: boolean;
  /**
   * Whether what took it over has a back-pressure of its own (a stream, a pipe): receiving is not
   * held back for it, and `drain` is also called after `end()`. False unless given.
   */
  readonly pacesItself?: boolean;
  /** Called before the `close` handler. */
  readonly closed: (() => void) | null;
}
