// Node streams and Web streams over any descriptor. They use no thread of Node's pool, and all
// streams of a thread share one selector.

import type { Duplex, Readable, Writable } from "node:stream";
import { descriptorOf } from "./arguments.ts";
import type { Connection } from "./connection.ts";
import { ConnectionStream, isConnection } from "./connection-stream.ts";
import { DescriptorStream, type DescriptorStreamOptions } from "./descriptor-stream.ts";
import { invalidValue } from "./errors.ts";
import { assertOptions } from "./opening.ts";
import type { FileLike } from "./selector.ts";
import { type WebStreams, webStreamsOf } from "./web-streams.ts";

/** Lets a read or a write under way keep the process alive (`ref`, the default) or not. */
export interface Refable {
  /** Lets a read or a write under way keep the process alive; this is the default. */
  ref(): this;
  /** From now on a read or a write under way does not keep the process alive. */
  unref(): this;
}

/**
 * A node:stream Readable over a FIFO, pipe, terminal, device or socket. It reads only while it has
 * a consumer and is not paused, and keeps the process alive only then. End of file ends it, and so
 * does the EIO of a pseudo-terminal whose other side has closed.
 * @param file becomes non-blocking, and is closed with the stream unless `autoClose` is false.
 * @throws {Error} in Node's form: `EBADF`. The stream fails with `EPERM` for a regular file.
 * @see read(2), stream.Readable in Node's manual
 */
export function toReadable(
  file: FileLike,
  options: DescriptorStreamOptions = {},
): Readable & Refable {
  return new DescriptorStream(descriptorOf(file), { readable: true, writable: false }, options);
}

/**
 * A node:stream Writable over the same kinds of descriptor. Bytes that the descriptor does not take
 * at once are written when it is ready; waiting chunks are joined.
 * @see write(2), stream.Writable in Node's manual
 */
export function toWritable(
  file: FileLike,
  options: DescriptorStreamOptions = {},
): Writable & Refable {
  return new DescriptorStream(descriptorOf(file), { readable: false, writable: true }, options);
}

/**
 * A node:stream Duplex over the same kinds of descriptor, or over a connection; it replaces all
 * handlers of a connection except `close` and `idle`. `end()` half-closes a socket. By default the
 * writable side stays open after the readable one has ended (`allowHalfOpen`). A write is done once
 * the system has taken it. It fails with ERR_CONNECTION_TAKEN if the connection is
 * detached or gets other handlers, which get the bytes that were not read.
 * @throws {Error} ERR_CONNECTION_TAKEN for a connection that has a stream already.
 * @see stream.Duplex in Node's manual
 */
export function toDuplex<T>(
  source: FileLike | Connection<T>,
  options: DescriptorStreamOptions = {},
): Duplex & Refable {
  if (isConnection(source)) {
    const { autoClose = true } = options;
    if (autoClose) return new ConnectionStream(source, options);
    throw invalidValue("a connection's stream always closes it; omit autoClose, or call detach()");
  }
  return new DescriptorStream(descriptorOf(source), { readable: true, writable: true }, options);
}

/**
 * A pair of Web streams over the same as toDuplex. Their chunks are bytes.
 * @see https://streams.spec.whatwg.org/
 */
export function toWebStreams<T>(
  source: FileLike | Connection<T>,
  options: Omit<DescriptorStreamOptions, "encoding"> = {},
): WebStreams {
  assertOptions(options);
  if ("encoding" in options && options.encoding != null) {
    throw invalidValue("toWebStreams has no encoding: its chunks are bytes; use TextDecoderStream");
  }
  return webStreamsOf(toDuplex(source, options));
}
