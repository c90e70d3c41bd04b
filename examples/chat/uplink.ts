// A gateway's connection to its broadcaster: its messages go up, the messages of all gateways come
// down (its own, too), and marks carry how many there were.

import { Push, Subscriber } from "zeromq";
import { type Envelope, fromFrames, toFrames } from "./envelope.ts";
import { FrameQueue } from "./frame-queue.ts";
import { Ledger } from "./ledger.ts";

export interface UplinkOptions {
  /** The name of this run of this gateway: no other run has it. */
  readonly origin: string;
  readonly uplink: string;
  readonly downlink: string;
  readonly highWaterMark: number;
}

/** What arrives from the broadcaster. */
export interface Listener {
  onWord(envelope: Envelope): void;
  onMark(envelope: Envelope): void;
  /** The first of an origin. */
  onHeard(origin: string): void;
  onLost(origin: string, count: number): void;
  /** The queue to the broadcaster is empty again. */
  onDrained(): void;
}

/** So many words may be queued for the broadcaster; with more, members are not read. */
const FULL = 1000;
const nothing = new Uint8Array(0);

export class Uplink {
  readonly origin: string;
  readonly #listener: Listener;
  readonly #push: Push;
  readonly #subscriber: Subscriber;
  readonly #queue: FrameQueue;
  readonly #ledger = new Ledger();
  #sequence = 0;

  constructor(options: UplinkOptions, listener: Listener) {
    const { origin, uplink, downlink, highWaterMark } = options;
    this.origin = origin;
    this.#listener = listener;
    this.#push = new Push({ linger: 0, reconnectInterval: 50 });
    this.#subscriber = new Subscriber({
      receiveHighWaterMark: highWaterMark,
      linger: 0,
      reconnectInterval: 50,
    });
    this.#queue = new FrameQueue(this.#push, () => listener.onDrained());
    this.#push.connect(uplink);
    this.#subscriber.subscribe("");
    this.#subscriber.connect(downlink);
  }

  get full(): boolean {
    return this.#queue.waiting >= FULL;
  }
  get lost(): number {
    return this.#ledger.lost;
  }
  get duplicates(): number {
    return this.#ledger.duplicates;
  }

  /** @param to a group, or null for all users. */
  send(line: Uint8Array, to: string | null): void {
    this.#sequence++;
    this.#post("word", to ?? "", line);
  }

  /** Sends the number of words so far, so that a loss of the last ones is noticed, too. */
  mark(body: Uint8Array = nothing): void {
    // Not to a broadcaster that is away: enough words already wait for it.
    if (this.#queue.waiting === 0) this.#post("mark", "", body);
  }

  /** Resolves once close() was called. */
  async listen(): Promise<void> {
    for await (const frames of this.#subscriber) {
      const envelope = fromFrames(frames);
      if (envelope !== null) this.#hear(envelope);
    }
  }

  close(): void {
    this.#push.close();
    this.#subscriber.close();
  }

  forget(origin: string): void {
    this.#ledger.forget(origin);
  }

  #hear(envelope: Envelope): void {
    const { fresh, missed, first } = this.#ledger.take(envelope);
    if (!fresh) return;
    const { origin, kind } = envelope;
    if (first) this.#listener.onHeard(origin);
    if (missed > 0) this.#listener.onLost(origin, missed);
    if (kind === "word") this.#listener.onWord(envelope);
    else this.#listener.onMark(envelope);
  }

  #post(kind: Envelope["kind"], to: string, body: Uint8Array): void {
    const { origin } = this;
    this.#queue.push(toFrames("home", { kind, origin, sequence: this.#sequence, to, body }));
  }
}
