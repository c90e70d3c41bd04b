// Blocking handlers, as native/echo_server/blocking.h: with --block-ms a server sleeps for some of
// its messages, which stands for a blocking call inside a handler. The messages decide: those
// whose first byte is below a bound.

export interface Blocking {
  readonly ms: number;
  readonly below: number;
  readonly messageBytes: number;
}

/** The same on the command line, for the processes that a server starts. */
export function blockingArguments(blocking: Blocking | null): string[] {
  if (blocking === null) return [];
  const { ms, below, messageBytes } = blocking;
  const options = { "--block-ms": ms, "--block-below": below, "--message-bytes": messageBytes };
  return Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
}

/** Finds the messages of one connection that block, in chunks of any size. */
export class BlockingMessages {
  readonly #blocking: Blocking;
  /** Received of the message that is incomplete. */
  #received = 0;

  constructor(blocking: Blocking) {
    this.#blocking = blocking;
  }

  /** @returns how many messages that block begin in these bytes. */
  countIn(bytes: Uint8Array, length = bytes.length): number {
    const { below, messageBytes } = this.#blocking;
    let found = 0;
    const first = this.#received === 0 ? 0 : messageBytes - this.#received;
    for (let at = first; at < length; at += messageBytes) {
      if ((bytes[at] as number) < below) found++;
    }
    this.#received = (this.#received + length) % messageBytes;
    return found;
  }
}

const neverNotified = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread. */
export function block(ms: number): void {
  if (ms > 0) Atomics.wait(neverNotified, 0, 0, ms);
}
