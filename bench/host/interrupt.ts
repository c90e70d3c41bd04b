// Ctrl-C, SIGTERM and SIGHUP: the first asks the run to stop and to write what it has, the second
// ends us at once. signal(7); 128 + n is what POSIX shells report for a process that signal n
// ended.

import { setMaxListeners } from "node:events";
import { constants } from "node:os";

/** npm passes on the terminal's SIGINT once more: what comes this soon is the same Ctrl-C. */
const sameKeypressMs = 3_000;

export class Interruption {
  readonly #controller = new AbortController();
  #received: NodeJS.Signals | null = null;
  #receivedAtMs = 0;

  /** @param onFirst called once, with the first signal; it may inform the user. */
  constructor(onFirst: (signal: NodeJS.Signals) => void) {
    setMaxListeners(0, this.signal);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (this.#received !== null) return this.#again();
        this.#received = signal;
        this.#receivedAtMs = performance.now();
        onFirst(signal);
        this.#controller.abort();
      });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 130, 143 or 129; null if no signal came. */
  get exitCode(): number | null {
    return this.#received === null ? null : 128 + constants.signals[this.#received];
  }

  /** "exit" handlers still run, and kill the children. */
  #again(): void {
    if (performance.now() - this.#receivedAtMs >= sameKeypressMs) process.exit(this.exitCode ?? 1);
  }
}

/** Aborted when one of them is. Any number of listeners is right: many servers start at once. */
export function anySignal(...signals: AbortSignal[]): AbortSignal {
  const signal = AbortSignal.any(signals);
  setMaxListeners(0, signal);
  return signal;
}
