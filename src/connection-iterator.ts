// ConnectionIterator: what `for await` over a connection reads from. It holds at most the
// high-water mark plus one read, and ends when the peer has sent everything.

import type { Connection, ConnectionHandlers } from "./connection.ts";
import { failureOf, release, roleOf, takeOver } from "./connection-symbols.ts";
import type { Role } from "./role.ts";
import { isPlenty, takeWithheld } from "./withheld.ts";

/** What it uses of the connection that it serves. */
interface Iterated<T> extends Connection<T> {
  readonly [roleOf]: Role<T>;
  readonly [failureOf]: Error | null;
  [takeOver](changes: Partial<Role<T>>): void;
}

interface Waiting {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: Error): void;
}

/** From now on an iterator serves this connection. */
export function iterate<T>(connection: Iterated<T>): AsyncIterator<Uint8Array> {
  const iterator = new ConnectionIterator(connection);
  connection[takeOver]({
    handlers: iterator as ConnectionHandlers<T>,
    endsItself: true,
    pacesItself: false,
  });
  if (connection.closed) iterator.take(takeWithheld(connection));
  connection.resume();
  return iterator;
}

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

class ConnectionIterator<T> implements AsyncIterator<Uint8Array> {
  readonly #connection: Iterated<T>;
  /** Whether the connection had failed before it was read, which is thrown once. */
  readonly #hadFailed: boolean;
  readonly #chunks: Uint8Array[] = [];
  #waiting: Waiting[] = [];
  #ended: boolean;
  #failure: Error | null;
  /** Whether the peer's end is still to be reported. */
  #hasEnd = false;
  #released = false;
  readonly drain: ((connection: Connection<T>) => void) | undefined;
  readonly idle: ((connection: Connection<T>) => void) | undefined;
  readonly error: ((connection: Connection<T>, thrown: unknown) => void) | undefined;
  /** Not those of an iterator that this one replaces, which would be a chain. */
  readonly #handlers: ConnectionHandlers<T>;

  constructor(connection: Iterated<T>) {
    this.#connection = connection;
    const { handlers } = connection[roleOf];
    const own = handlers instanceof ConnectionIterator ? handlers.#handlers : handlers;
    this.#handlers = own as ConnectionHandlers<T>;
    this.drain = own.drain?.bind(own);
    this.idle = own.idle?.bind(own);
    this.error = own.error?.bind(own);
    this.#ended = connection.closed;
    this.#failure = connection[failureOf];
    this.#hadFailed = this.#failure !== null;
  }

  /** What a closed connection has not delivered comes first. */
  take(chunks: readonly Uint8Array[]): void {
    this.#chunks.push(...chunks);
  }

  data(_connection: Connection<T>, bytes: Uint8Array): void {
    const chunk = bytes.slice();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    if (isPlenty(this.#chunks, this.#connection[roleOf].highWaterMark)) this.#connection.pause();
  }

  end(): void {
    this.#ended = true;
    this.#hasEnd = true;
    if (this.#chunks.length === 0 && this.#waiting.length > 0) this.#finish();
  }

  close(connection: Connection<T>, error: Error | null): void {
    const failure = error ?? (this.#ended ? null : this.#connection[failureOf]);
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    // Thrown once: by those that wait, or by the next call.
    if (!this.#hadFailed && waiting.length === 0) this.#failure = failure;
    for (const { resolve, reject } of waiting) {
      if (failure === null) resolve(DONE);
      else reject(failure);
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
  [release](_connection: Connection<T>, giveBack: (item: Uint8Array | "end") => void): void {
    if (this.#hasEnd) giveBack("end");
    for (const chunk of this.#chunks.splice(0).reverse()) giveBack(chunk);
    this.#released = true;
    this.#ended = true;
    this.#finish();
  }

  /** The program has handled the last chunk: only now may its own direction end. */
  #finish(): void {
    this.#hasEnd = false;
    const { allowHalfOpen } = this.#connection[roleOf];
    if (!allowHalfOpen && !this.#released) this.#connection.end();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve } of waiting) resolve(DONE);
  }
}
