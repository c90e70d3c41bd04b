// The public types of connections: one peer each, and the handlers that are called for it. Schmidt
// et al., Pattern-Oriented Software Architecture 2: Proactor.

import type { SocketAddress } from "./socket-address.ts";

/**
 * What is called for a connection; one object serves every connection of a server. A handler that
 * throws closes its own connection and nothing else.
 */
export interface ConnectionHandlers<T = undefined> {
  /** Before every other call. */
  open?(connection: Connection<T>): void;
  /**
   * @param bytes what has arrived, never empty: a view that is valid until the handler returns.
   *   Without this handler a connection starts paused, and `resume()`, `for await` or a stream
   *   starts it.
   */
  data?(connection: Connection<T>, bytes: Uint8Array): void;
  /** After `write()` returned false: at most `lowWaterMark` bytes are left. */
  drain?(connection: Connection<T>): void;
  /** The peer has sent everything. The connection then ends, too, unless `allowHalfOpen`. */
  end?(connection: Connection<T>): void;
  /** No byte has moved for the idle timeout; without this handler the connection is destroyed. */
  idle?(connection: Connection<T>): void;
  /**
   * What another handler threw; the connection is destroyed after it. Without this handler it is an
   * 'uncaughtException' of the process.
   */
  error?(connection: Connection<T>, thrown: unknown): void;
  /**
   * Exactly once for each `open`, as the last call. The descriptor is closed by then.
   * @param error why, or null after both sides ended or `destroy()`.
   */
  close?(connection: Connection<T>, error: Error | null): void;
}

/**
 * One peer: it is written to with back-pressure, and handlers are called for it one after another
 * on this thread.
 */
export interface Connection<T = undefined> extends AsyncIterable<Uint8Array> {
  /** The caller's own state; undefined until it is set. */
  data: T;

  /** Bytes that were written and that the system has not taken yet. */
  readonly bufferedBytes: number;

  /** Whether `write()` still sends: neither ended, destroyed nor closed. */
  readonly writable: boolean;

  /** Whether it was destroyed or has closed. */
  readonly closed: boolean;

  /** Whether `pause()` holds. */
  readonly paused: boolean;

  /** The peer's address; null once closed, and for what has none. getpeername(2) */
  readonly remoteAddress: SocketAddress | null;

  /** This side's address; null once closed, and for what has none. getsockname(2) */
  readonly localAddress: SocketAddress | null;

  /**
   * Sends bytes, or text as UTF-8, in order. They may change as soon as this returns. What is
   * written within one turn leaves in one system call.
   * @returns whether at most `highWaterMark` bytes are buffered; after false, `drain` says when
   *   there is room. False also once it is destroyed or closed, and then the bytes are discarded.
   * @throws {Error} ERR_STREAM_WRITE_AFTER_END after `end()`.
   */
  write(bytes: Uint8Array | string): boolean;

  /** Sends what is buffered, and then ends this direction; twice is a no-op. shutdown(2) */
  end(bytes?: Uint8Array | string): void;

  /**
   * Closes at once and discards what is buffered; twice is a no-op. `close` is called in the next
   * turn, and no other handler before it.
   * @param error what `close` is called with.
   */
  destroy(error?: Error): void;

  /** Stops calling `data` and `end`, and receiving, until `resume()`. */
  pause(): void;

  /** Ends `pause()`; what was received meanwhile is delivered first. */
  resume(): void;

  /**
   * Calls `idle` whenever no byte has moved in either direction for that long, never early.
   * @param idleMs milliseconds; 0: never.
   */
  setTimeout(idleMs: number): void;

  /** TCP_NODELAY, which is on from the beginning. @throws {Error} in Node's form. tcp(7) */
  setNoDelay(on: boolean): void;

  /** Whether this connection keeps the process alive: it does until `unref()`. */
  ref(): this;
  unref(): this;

  /** Calls these handlers from now on; `open` is not called again. */
  setHandlers(handlers: ConnectionHandlers<T>): void;

  /**
   * Gives the descriptor back: it is the caller's to close, and no handler is called any more.
   * @throws {Error} ERR_CONNECTION_BUSY while bytes are buffered, ERR_CONNECTION_CLOSED once it is
   *   closed.
   */
  detach(): Detached;

  /** What arrives, chunk by chunk; leaving the loop early destroys the connection. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
}

/** A connection that was detached: its descriptor, and the bytes not yet given to a handler. */
export interface Detached {
  readonly fd: number;
  readonly unread: Uint8Array;
}
