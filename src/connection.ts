// The public types of connections: one peer each, and the handlers that are called for it. Schmidt
// et al., Pattern-Oriented Software Architecture 2: Proactor.

import type { SocketAddress } from "./socket-address.ts";

/**
 * The methods that are called for a connection; one object serves every connection of a server. A
 * handler that throws closes only its own connection, and `error` gets the exception of every other
 * handler except `close`.
 */
export interface ConnectionHandlers<T = undefined> {
  /** Called once, before every other handler. */
  open?(connection: Connection<T>): void;
  /**
   * Called with received bytes.
   * @param bytes what has arrived, never empty: a view that is valid until the handler returns.
   *   Without this handler a connection starts paused, and `for await`, a stream, or
   *   `setHandlers()` and `resume()` start it.
   */
  data?(connection: Connection<T>, bytes: Uint8Array): void;
  /** After `write()` returned false: at most `lowWaterMark` bytes are left. Not after `end()`. */
  drain?(connection: Connection<T>): void;
  /** The peer has ended its side. This side then ends, too, unless `allowHalfOpen` is set. */
  end?(connection: Connection<T>): void;
  /**
   * No byte was moved for the idle timeout. Without this handler the connection is destroyed, and
   * `close` gets an error with the code ERR_CONNECTION_IDLE.
   */
  idle?(connection: Connection<T>): void;
  /**
   * Called with the exception of another handler; afterwards the connection is destroyed. Without
   * this handler the exception is an 'uncaughtException' of the process.
   */
  error?(connection: Connection<T>, thrown: unknown): void;
  /**
   * Exactly once for each `open`, as the last call. The descriptor is closed by then.
   * @param error why it closed; null after both sides ended, or after `destroy()` without an error.
   */
  close?(connection: Connection<T>, error: Error | null): void;
}

/**
 * A connection to one peer, with a write queue and back-pressure. Its handlers are called one after
 * another on this thread.
 */
export interface Connection<T = undefined> extends AsyncIterable<Uint8Array>, Disposable {
  /** The caller's own state; undefined until it is set. */
  data: T;

  /** Bytes that were written and that the system has not taken yet. */
  readonly bufferedBytes: number;

  /** Whether `write()` still sends: open for writing, and neither ended, destroyed nor closed. */
  readonly writable: boolean;

  /** Whether it was destroyed or has closed. */
  readonly closed: boolean;

  /** Whether it is paused: `data` and `end` are not called until `resume()`. */
  readonly paused: boolean;

  /** The peer's address; null once closed, or if it has none. getpeername(2) */
  readonly remoteAddress: SocketAddress | null;

  /** This side's address; null once closed, or if it has none. getsockname(2) */
  readonly localAddress: SocketAddress | null;

  /**
   * Sends bytes, or text as UTF-8, in order. The caller may reuse the bytes once this returns; only
   * those that `data` was called with must not change until that handler returns. All bytes that
   * are written within one turn leave in one system call, up to 64 separate pieces; a write of more
   * than 16 KiB is sent by itself.
   * @returns whether at most `highWaterMark` bytes are buffered; after false, `drain` follows once
   *   there is room, unless this side has ended. Also false once it is destroyed or closed; the
   *   bytes are then discarded.
   * @throws {Error} ERR_STREAM_WRITE_AFTER_END after `end()`; ERR_CONNECTION_READ_ONLY for a
   *   descriptor that is open for reading only. {TypeError} for anything but bytes or a string.
   */
  write(bytes: Uint8Array | string): boolean;

  /**
   * Sends the buffered bytes, then ends this direction; a second call without bytes is a no-op.
   * @throws what `write()` throws.
   * @see shutdown(2)
   */
  end(bytes?: Uint8Array | string): void;

  /**
   * Gives the system what this turn has written, then closes and discards what it did not take; a
   * second call is a no-op. `close` is called in the next turn, and no other handler before it.
   * @param error what `close` is called with; null is none.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE for anything but an Error.
   */
  destroy(error?: Error): void;

  /** Stops calling `data` and `end`, and receiving, until `resume()`. */
  pause(): void;

  /** Ends `pause()`; bytes that were received in the meantime are delivered first. */
  resume(): void;

  /**
   * Calls `idle` whenever no byte was moved in either direction for `idleMs`, never early.
   * @param idleMs milliseconds; 0: never.
   */
  setTimeout(idleMs: number): void;

  /** TCP_NODELAY, which is on from the beginning. @throws {Error} in Node's form. tcp(7) */
  setNoDelay(on: boolean): void;

  /** Lets the connection keep the process alive; this is the default. */
  ref(): this;
  /** From now on the connection does not keep the process alive. */
  unref(): this;

  /**
   * Calls these handlers from now on; `open` is not called again. If the connection is paused (one
   * without a `data` handler starts paused), call `resume()` as well.
   */
  setHandlers(handlers: ConnectionHandlers<T>): void;

  /**
   * Returns the descriptor, which the caller closes; no handler is called afterwards.
   * @throws {Error} ERR_CONNECTION_BUSY while bytes are buffered, ERR_CONNECTION_CLOSED once it is
   *   closed.
   */
  detach(): Detached;

  /**
   * The received bytes, chunk by chunk; leaving the loop early destroys the connection. The loop
   * throws the connection's error, or ERR_STREAM_PREMATURE_CLOSE if the connection is destroyed
   * before its peer has ended.
   */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;

  /** As `destroy()`, for `using`. */
  [Symbol.dispose](): void;
}

/** A connection that was detached: its descriptor, and the bytes not yet given to a handler. */
export interface Detached {
  /** The descriptor, non-blocking; the caller closes it. */
  readonly fd: number;
  /** Received bytes that no handler has seen; often empty. */
  readonly unread: Uint8Array;
}
