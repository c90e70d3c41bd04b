// The changes of the keys with a prefix, as they reach the disk: a subscription to the writer,
// which publishes each with its key as the topic. The versions show what a slow subscriber lost.

import { Subscriber } from "zeromq";
import type { Change } from "./protocol.ts";

export class Changes implements AsyncIterable<Change> {
  readonly #socket = new Subscriber({ linger: 0, reconnectInterval: 50 });

  /** @param prefix "" for every key. */
  constructor(address: string, prefix: string) {
    this.#socket.subscribe(prefix);
    this.#socket.connect(address);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    for await (const [, change] of this.#socket) yield JSON.parse(change?.toString() ?? "");
  }

  /** Ends the iteration. */
  close(): void {
    this.#socket.close();
  }
}
