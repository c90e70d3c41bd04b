// What every TypeScript server receives from serve.ts, and returns to it.

import type { Blocking } from "./blocking.ts";
import type { CallCounters } from "./counters.ts";

export interface ServerRequest {
  readonly counters: CallCounters;
  /** 0 lets the kernel pick. */
  readonly port: number;
  /** SO_REUSEPORT: one of several processes on that port. */
  readonly reusePort: boolean;
  /** Processes, where the strategy has several. */
  readonly workers: number;
  /** Which messages block their handler, and for how long; null: none. */
  readonly blocking: Blocking | null;
}

export interface Server {
  readonly port: number;
  /** Asks it to close everything; `done` is resolved when it has. */
  stop(): void;
  /** Brings the counters up to date; missing if they always are. */
  count?(): void;
  /** Whether its counters are known only at its end. */
  readonly countsAtEnd?: boolean;
  readonly done: Promise<void>;
}
