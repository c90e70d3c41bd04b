// A connection as a node:stream Duplex, for APIs that take streams: tls.TLSSocket, pipeline,
// readline.

import { addAbortSignal, Duplex, type DuplexOptions } from "node:stream";
import { assertSignal } from "./arguments.ts";
import type { Connection, ConnectionHandlers } from "./connection.ts";
import { failureOf, roleOf, takeOver } from "./connection-symbols.ts";
import { EngineConnection } from "./engine-connection.ts";
import { connectionError } from "./errors.ts";

export type ConnectionStreamOptions = Pick<
  DuplexOptions,
  | "highWaterMark"
  | "readableHighWaterMark"
  | "writableHighWaterMark"
  | "encoding"
  | "signal"
  | "allowHalfOpen"
>;

type Done = (error?: Error | null) => void;

const HIGH_WATER_MARK = 64 << 10;
const taken = new WeakSet<object>();

export class ConnectionStream extends Duplex {
  readonly #connection: EngineConnection<unknown>;
  #drained: Done | null = null;
  #closed: Done | null = null;
  #received = false;

  constructor(connection: Connection<unknown>, options: ConnectionStreamOptions) {
    const { signal, ...rest } = options;
    assertSignal(signal);
    super({ highWaterMark: HIGH_WATER_MARK, ...rest });
    if (taken.has(connection)) {
      throw connectionError(
        "ERR_CONNECTION_TAKEN",
        "this connection has a stream already: use that",
      );
    }
    taken.add(connection);
    this.#connection = connection as EngineConnection<unknown>;
    const before = this.#connection[roleOf].handlers;
    this.#connection.pause();
    // A write is done once the system has taken it: the stream alone buffers.
    this.#connection[takeOver]({
      handlers: this.#handlers(before),
      endsItself: true,
      pacesItself: true,
      highWaterMark: 0,
      lowWaterMark: 0,
    });
    if (connection.closed) this.destroy(this.#connection[failureOf] ?? undefined);
    if (signal !== undefined) addAbortSignal(signal, this); // last: it may destroy at once
  }

  ref(): this {
    this.#connection.ref();
    return this;
  }

  unref(): this {
    this.#connection.unref();
    return this;
  }

  override _read(): void {
    this.#connection.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#write([chunk], done);
  }

  override _writev(entries: { chunk: Uint8Array }[], done: Done): void {
    this.#write(
      entries.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    this.#connection.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#drain(error ?? closedEarly());
    if (this.#connection.closed) {
      done(error);
      return;
    }
    this.#closed = (reason) => done(error ?? reason ?? null);
    this.#connection.destroy(error ?? undefined);
  }

  /** Writes of one turn leave in one system call. */
  #write(chunks: readonly Uint8Array[], done: Done): void {
    if (this.#connection.closed) {
      done(closedEarly());
      return;
    }
    let drained = true;
    try {
      for (const chunk of chunks) drained = this.#connection.write(chunk);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (drained) done();
    else this.#drained = done;
  }

  #drain(error?: Error): void {
    const done = this.#drained;
    this.#drained = null;
    done?.(error);
  }

  #handlers(before: ConnectionHandlers<unknown>): ConnectionHandlers<unknown> {
    return {
      data: (connection, bytes) => {
        if (!this.push(Buffer.from(bytes))) connection.pause();
      },
      drain: () => this.#drain(),
      end: () => {
        this.#received = true;
        this.push(null);
        this.read(0); // emits "end" if nothing is buffered
      },
      ...(before.idle && { idle: (connection) => before.idle?.(connection) }),
      close: (connection, error) => {
        const closed = this.#closed;
        const broken = error !== null || !this.#received || this.#drained !== null;
        if (closed !== null) closed(error);
        else if (broken) this.destroy(error ?? undefined);
        // What is buffered is read first: the stream destroys itself after both its ends.
        else if (!this.writableEnded) this.end();
        before.close?.(connection, error); // last: it may throw
      },
    };
  }
}

export function isConnection(value: unknown): value is Connection<unknown> {
  return value instanceof EngineConnection;
}

function closedEarly(): Error {
  const error = new Error("the connection was closed before the write ended");
  return Object.assign(error, { code: "ECANCELED" });
}
