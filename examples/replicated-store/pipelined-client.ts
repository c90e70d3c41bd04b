// A client of the store that has many questions under way on one connection for each address. A
// number in front of each question comes back with its answer, so answers may come in any order.

import { Dealer } from "zeromq";
import { FrameQueue } from "../chat/frame-queue.ts";
import { type Answer, framesOf, openAnswer, type Question } from "./protocol.ts";

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** A question whose server died gets no answer. */
const ANSWER_MS = 5000;

export class PipelinedClient {
  readonly #reads: Line;
  readonly #writes: Line;

  /** The addresses may be the same one, if it takes both reads and writes. */
  constructor({ reads, writes }: { readonly reads: string; readonly writes: string }) {
    this.#reads = new Line(reads);
    this.#writes = new Line(writes);
  }

  /**
   * Asks without waiting for the answers to earlier questions. Puts of one client reach the disk in
   * their order; a get may overtake a put.
   * @throws {Error} without an answer within 5 s, or if the client is closed meanwhile.
   */
  ask(question: Question): Promise<Answer> {
    return (question.op === "get" ? this.#reads : this.#writes).ask(question);
  }

  /** Rejects what is under way. */
  close(): void {
    for (const line of [this.#reads, this.#writes]) line.close();
  }
}

/** One address with the questions that wait for its answers. */
class Line {
  readonly #address: string;
  readonly #socket = new Dealer({ linger: 0, reconnectInterval: 50 });
  readonly #queue = new FrameQueue(this.#socket);
  readonly #waiting = new Map<string, Waiting>();
  #asked = 0;

  constructor(address: string) {
    this.#address = address;
    this.#socket.connect(address);
    void this.#receive();
  }

  ask(question: Question): Promise<Answer> {
    const number = String(++this.#asked);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(number);
        reject(new Error(`no answer from ${this.#address} in ${ANSWER_MS / 1000} s`));
      }, ANSWER_MS);
      this.#waiting.set(number, { resolve, reject, timer });
      // As a REQ socket has it: what comes back is in front of an empty frame.
      this.#queue.push([number, "", ...framesOf(question)]);
    });
  }

  close(): void {
    this.#socket.close();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Error(`the client of ${this.#address} was closed`));
    }
    this.#waiting.clear();
  }

  async #receive(): Promise<void> {
    for await (const frames of this.#socket) {
      const number = frames[0]?.toString() ?? "";
      const waiting = this.#waiting.get(number);
      if (waiting === undefined) continue; // too late
      this.#waiting.delete(number);
      clearTimeout(waiting.timer);
      waiting.resolve(openAnswer(frames));
    }
  }
}
