// A connection as a node:stream Duplex, for APIs that take streams: tls.TLSSocket, pipeline,
// readline.

import { addAbortSignal, Duplex, type DuplexOptions } from "node:stream";
import { assertSignal, isError } from "./arguments.ts";
import type { Connection, ConnectionHandlers } from "./connection.ts";
import { failureOf, type Reader, release, roleOf, takeOver } from "./connection-symbols.ts";
import { EngineConnection } from "./engine-connection.ts";
import { connectionError } from "./errors.ts";
import type { Role } from "./role.ts";
import { reasonOf, takeWithheld } from "./withheld.ts";

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
  /** Whether something else has taken the connection over. */
  #released = false;

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
    const before = this.#connection[roleOf];
    this.#connection.pause();
    // A write is done once the system has taken it: the stream alone buffers.
    this.#connection[takeOver]({
      handlers: this.#handlers(before),
      endsItself: true,
      pacesItself: true,
      highWaterMark: 0,
      lowWaterMark: 0,
    });
    if (connection.closed) {
      const isWhole = this.#connection[failureOf] === null;
      this.#over(reasonOf(connection), isWhole, isWhole ? takeWithheld(connection) : []);
    }
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
    if (!this.#released) this.#connection.resume();
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
    if (!this.#released) this.#connection.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#drain(error ?? closedEarly());
    if (this.#connection.closed || this.#released) {
      done(error);
      return;
    }
    this.#closed = (reason) => done(error ?? reason ?? null);
    this.#connection.destroy(isError(error) ? error : undefined);
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

  /** The connection is over: what is left is read first, and then the stream destroys itself. */
  #over(error: Error | null, isWhole: boolean, left: readonly Uint8Array[] = []): void {
    if (error !== null || !isWhole || this.#drained !== null) {
      this.destroy(error ?? undefined);
      return;
    }
    for (const bytes of left) this.push(bytes);
    if (!this.#received) this.push(null);
    if (!this.writableEnded) this.end();
  }

  /** What is buffered, unless it is decoded already. */
  #takeUnread(): Uint8Array[] {
    this.removeAllListeners("data"); // they would get what read() returns
    const chunks: unknown[] = [];
    for (let chunk = this.read(); chunk !== null; chunk = this.read()) chunks.push(chunk);
    return chunks.filter((chunk) => chunk instanceof Uint8Array);
  }

  #handlers(before: Role<unknown>): ConnectionHandlers<unknown> & Reader<unknown> {
    const { handlers, highWaterMark, lowWaterMark } = before;
    return {
      [release]: (_connection, giveBack) => {
        this.#released = true;
        taken.delete(this.#connection);
        this.#connection[takeOver]({ highWaterMark, lowWaterMark });
        if (this.#received) giveBack("end");
        for (const bytes of this.#takeUnread().reverse()) giveBack(bytes);
        const what = "the connection of this stream was detached or got other handlers";
        this.destroy(connectionError("ERR_CONNECTION_TAKEN", what));
        this.#closed?.(null); // it was destroyed before, and `close` comes to others
      },
      data: (connection, bytes) => {
        if (!this.push(Buffer.from(bytes))) connection.pause();
      },
      drain: () => this.#drain(),
      end: () => {
        this.#received = true;
        this.push(null);
        this.read(0); // emits "end" if nothing is buffered
      },
      ...(handlers.idle && { idle: (connection) => handlers.idle?.(connection) }),
      close: (connection, error) => {
        if (this.#closed !== null) this.#closed(error);
        else if (!this.#released) this.#over(error, this.#received);
        handlers.close?.(connection, error); // last: it may throw
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
