// What an engine and a server agree on: how a listener accepts, and what receives its completions.

import type { EngineConnection } from "./engine-connection.ts";

/** What receives a listener's completions. */
export interface Acceptor {
  /** Whether it destroys what was accepted before it was closed. */
  destroys(): boolean;
  accepted(slot: number): EngineConnection;
  /** @param errno 0, or below it why accepting ended. */
  closed(errno: number): void;
}

export interface ListenSettings {
  /** Connections that may be accepted until SUBMIT_MORE_ACCEPTS; below 0 any number. */
  readonly room: number;
  readonly paused: boolean;
  readonly idleMs: number;
}
