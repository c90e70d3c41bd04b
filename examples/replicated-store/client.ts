// A client of the store: reads go to one address and writes to another, or both to the address that
// takes both. If no answer arrives because the server ended, the request is sent again: repeating a
// put has the same result. https://zguide.zeromq.org/docs/chapter4/ (Lazy Pirate)

import { Request } from "zeromq";
import { type Answer, framesOf, openAnswer, type Question } from "./protocol.ts";

const ANSWER_MS = 1000;
const ATTEMPTS = 5;

export class StoreClient {
  readonly #reads: string;
  readonly #writes: string;

  constructor({ reads, writes }: { readonly reads: string; readonly writes: string }) {
    this.#reads = reads;
    this.#writes = writes;
  }

  /** A connection has one request in flight; parallel requests open several connections. */
  async ask(question: Question): Promise<Answer> {
    const address = question.op === "get" ? this.#reads : this.#writes;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // A new socket each time: one that waits for an answer cannot ask again.
      const socket = new Request({ linger: 0, receiveTimeout: ANSWER_MS, reconnectInterval: 50 });
      try {
        socket.connect(address);
        await socket.send(framesOf(question));
        return openAnswer(await socket.receive());
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      } finally {
        socket.close();
      }
    }
    throw new Error(`no answer from ${address} in ${(ATTEMPTS * ANSWER_MS) / 1000} s`);
  }
}
