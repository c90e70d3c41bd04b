// Node streams over descriptors that Node cannot watch without a thread of its pool: FIFOs,
// terminals, devices. A stream reads only while it has a consumer. stream in Node's manual

import { constants } from "node:os";
import { addAbortSignal, Duplex, type DuplexOptions } from "node:stream";
import { assertSignal } from "./arguments.ts";
import { close, setNonBlocking } from "./descriptor.ts";
import { type Done, ReadHalf, WriteHalf } from "./descriptor-halves.ts";
import { native, systemError } from "./native.ts";
import { assertOptions } from "./opening.ts";
import { shutdown } from "./socket.ts";

/** Options of toReadable, toWritable, toDuplex and toWebStreams; most are those of node:stream. */
export interface DescriptorStreamOptions
  extends Pick<
    DuplexOptions,
    | "highWaterMark"
    | "readableHighWaterMark"
    | "writableHighWaterMark"
    | "encoding"
    | "signal"
    | "allowHalfOpen"
  > {
  /** Whether the stream closes the descriptor when it is destroyed; true by default. */
  readonly autoClose?: boolean;
}

const HIGH_WATER_MARK = 64 << 10;
/** Chunks up to this size together are joined into one write. */
const JOINED_BYTES = 64 << 10;

/** The sides that a stream has. */
interface Sides {
  readonly readable: boolean;
  readonly writable: boolean;
}

const { ENOTSOCK, ENOTCONN } = constants.errno;

/** @throws {Error} in Node's form: `EBADF`. */
function unblock(fd: number): void {
  const answer = setNonBlocking(fd);
  if (answer < 0) throw systemError(answer, `cannot make a stream over fd ${fd}`, "fcntl");
}

/** What toReadable(), toWritable() and toDuplex() return: one side is absent in the first two. */
export class DescriptorStream extends Duplex {
  readonly fd: number;
  readonly #options: DescriptorStreamOptions;
  readonly #reading: ReadHalf;
  readonly #writing: WriteHalf;

  constructor(fd: number, sides: Sides, options: DescriptorStreamOptions) {
    assertOptions(options);
    const { signal, ...rest } = options;
    assertSignal(signal);
    unblock(fd);
    super({ highWaterMark: HIGH_WATER_MARK, ...rest, ...sides });
    if (options.autoClose ?? true) native.own(fd); // not before: super() may refuse an option
    this.fd = fd;
    this.#options = options;
    this.#reading = new ReadHalf(this, fd);
    this.#writing = new WriteHalf(fd);
    if (signal !== undefined) addAbortSignal(signal, this); // last: it may destroy at once
  }

  /** Lets reads and writes under way keep the process alive again. */
  ref(): this {
    return this.#setRef(true);
  }

  /** From now on a read or a write under way does not keep the process alive. */
  unref(): this {
    return this.#setRef(false);
  }

  override pause(): this {
    this.#reading.hold();
    return super.pause();
  }

  override resume(): this {
    this.#reading.release();
    return super.resume();
  }

  override on(event: string | symbol, listener: (...values: never[]) => void): this {
    if (event === "readable") this.#reading.release();
    return super.on(event, listener as (...values: unknown[]) => void);
  }

  override addListener(event: string | symbol, listener: (...values: never[]) => void): this {
    return this.on(event, listener);
  }

  // biome-ignore lint/suspicious/noExplicitAny: the type that Duplex gives it
  override read(size?: number): any {
    if (size !== 0) this.#reading.release();
    return super.read(size);
  }

  override _read(size: number): void {
    this.#reading.want(size);
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#writing.write([chunk], done);
  }

  override _writev(entries: { chunk: Uint8Array }[], done: Done): void {
    const chunks = entries.map(({ chunk }) => chunk);
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    this.#writing.write(bytes <= JOINED_BYTES ? [Buffer.concat(chunks, bytes)] : chunks, done);
  }

  /** The peer of a socket reads an end of file; other descriptors have no half-close. */
  override _final(done: Done): void {
    const answer = shutdown(this.fd, "write");
    const failed = answer < 0 && answer !== -ENOTSOCK && answer !== -ENOTCONN;
    done(failed ? systemError(answer, `cannot end fd ${this.fd}`, "shutdown") : null);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#reading.end();
    this.#writing.cancel(error);
    // A stream that was refused, because another one reads or writes here, has never owned it.
    const refused = this.#reading.refused || this.#writing.refused;
    const autoClose = (this.#options.autoClose ?? true) && !refused;
    const answer = autoClose ? close(this.fd) : 0;
    const failed = answer < 0 ? systemError(answer, `cannot close fd ${this.fd}`, "close") : null;
    done(error ?? failed);
  }

  #setRef(keepsAlive: boolean): this {
    this.#reading.watch.setRef(keepsAlive);
    this.#writing.watch.setRef(keepsAlive);
    return this;
  }
}
