// ConnectionIterator: what `for await` over a connection reads from. It holds at most the
// high-water mark plus one read, and ends when the peer has sent everything.

import { release } from "./connection-symbols.ts";
import { isPlenty } from "./withheld.ts";

/** What it uses of the Connection that made it. */
interface Iterated {
  readonly closed: boolean;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(error?: Error): void;
}

/** The handlers that it calls for other events. */
interface Handlers<C> {
  drain?(connection: C): void;
  idle?(connection: C): void;
  error?(connection: C, thrown: unknown): void;
  close?(connection: C, error: Error | null): void;
}

interface Settings {
  readonly allowHalfOpen: boolean;
  readonly highWaterMark: number;
  /** Why the connection has failed before it is read; null if it has not. */
  readonly failure: Error | null;
}

interface Waiting {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: Error): void;
}

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

export class ConnectionIterator<C extends Iterated> implements AsyncIterator<Uint8Array> {
  readonly #connection: C;
  readonly #settings: Settings;
  readonly #chunks: Uint8Array[] = [];
  #waiting: Waiting[] = [];
  #ended: boolean;
  #failure: Error | null;
  /** Whether the peer's end is still to be reported. */
  #hasEnd = false;
  #released = false;
  readonly drain: ((connection: C) => void) | undefined;
  readonly idle: ((connection: C) => void) | undefined;
  readonly error: ((connection: C, thrown: unknown) => void) | undefined;
  /** Not those of an iterator that this one replaces, which would be a chain. */
  readonly #handlers: Handlers<C>;

  constructor(connection: C, handlers: Handlers<C>, settings: Settings) {
    this.#connection = connection;
    const { allowHalfOpen, highWaterMark, failure } = settings;
    this.#settings = { allowHalfOpen, highWaterMark, failure }; // no more, which would be kept
    const own = handlers instanceof ConnectionIterator ? handlers.#handlers : handlers;
    this.#handlers = own as Handlers<C>;
    this.drain = own.drain?.bind(own);
    this.idle = own.idle?.bind(own);
    this.error = own.error?.bind(own);
    this.#ended = connection.closed;
    this.#failure = settings.failure;
    // A closed connection delivers nothing again.
    if (connection.closed && handlers instanceof ConnectionIterator) {
      this.#chunks.push(...handlers.#chunks.splice(0));
    }
  }

  data(_connection: C, bytes: Uint8Array): void {
    const chunk = bytes.slice();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    if (isPlenty(this.#chunks, this.#settings.highWaterMark)) this.#connection.pause();
  }

  end(): void {
    this.#ended = true;
    this.#hasEnd = true;
    if (this.#chunks.length === 0 && this.#waiting.length > 0) this.#finish();
  }

  close(connection: C, error: Error | null): void {
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    // Thrown once: by those that wait, or by the next call.
    if (this.#settings.failure === null && waiting.length === 0) this.#failure = error;
    for (const { resolve, reject } of waiting) {
      if (error === null) resolve(DONE);
      else reject(error);
    }
    this.#handlers.close?.(connection, error);
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      if (this.#chunks.length === 0) this.#connection.resume();
      return Promise.resolve({ done: false, value: chunk });
    }
    const failure = this.#failure;
    this.#failure = null; // thrown once
    if (failure !== null) return Promise.reject(failure);
    if (this.#ended) {
      this.#finish();
      return Promise.resolve(DONE);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#ended = true;
    this.#chunks.length = 0;
    if (!this.#released) this.#connection.destroy();
    return Promise.resolve(DONE);
  }

  /** It is over: gives back what the program has not asked for, the newest first. */
  [release](_connection: C, giveBack: (item: Uint8Array | "end") => void): void {
    if (this.#hasEnd) giveBack("end");
    for (const chunk of this.#chunks.splice(0).reverse()) giveBack(chunk);
    this.#released = true;
    this.#ended = true;
    this.#finish();
  }

  /** The program has handled the last chunk: only now may its own direction end. */
  #finish(): void {
    this.#hasEnd = false;
    if (!this.#settings.allowHalfOpen && !this.#released) this.#connection.end();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve } of waiting) resolve(DONE);
  }
}
