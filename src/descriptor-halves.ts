// The two halves of a stream over a descriptor: when each reads or writes, and how each ends.

import { constants } from "node:os";
import type { Readable } from "node:stream";
import { read, write } from "./descriptor.ts";
import { DescriptorWatch, type WatchObserver } from "./descriptor-watch.ts";
import { EAGAIN } from "./errno.ts";
import { native, systemError } from "./native.ts";
import { EVENT_READ, EVENT_WRITE } from "./selector.ts";

export type Done = (error?: Error | null) => void;

const BUFFER_BYTES = 64 << 10;
/** Calls of write(2) per turn, so that a fast consumer does not starve Node's loop. */
const WRITES_PER_TURN = 16;
const { EIO } = constants.errno;

/** One per thread: what is read stays here only until it is copied or handed over. */
let readBuffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

/** Small reads are copied; a large one takes the buffer with it. */
function takeRead(bytes: number): Buffer {
  const taken = readBuffer.subarray(0, bytes);
  if (bytes < BUFFER_BYTES / 2) return Buffer.from(taken);
  readBuffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  return taken;
}

/** The readable side of a stream: reads when the descriptor is ready and the stream wants bytes. */
export class ReadHalf implements WatchObserver {
  readonly #stream: Readable;
  readonly #fd: number;
  readonly watch: DescriptorWatch;
  /** Whether another stream has this direction of the descriptor. */
  refused = false;
  #size = 0;
  #wanted = false;
  #held = false;

  constructor(stream: Readable, fd: number) {
    this.#stream = stream;
    this.#fd = fd;
    this.watch = new DescriptorWatch(fd, EVENT_READ, this);
  }

  want(size: number): void {
    this.#size = Math.min(Math.max(size, 1), BUFFER_BYTES);
    this.#wanted = true;
    if (!this.#held) this.#start();
  }

  /** The consumer has paused: the descriptor is no longer watched, and the process may end. */
  hold(): void {
    this.#held = true;
    this.watch.stop();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    if (this.#wanted) this.#start();
  }

  /** From now on nothing is read, even after resume(): the number may be another file's. */
  end(): void {
    this.#wanted = false;
    this.watch.stop();
  }

  onReady(): void {
    const n = read(this.#fd, readBuffer, 0, this.#size);
    if (n === -EAGAIN) return;
    if (n > 0) {
      this.#wanted = false;
      const wantsMore = this.#stream.push(takeRead(n));
      // push() may have called _read, or paused the stream.
      if (!wantsMore && !this.#wanted) this.watch.stop();
      return;
    }
    this.end();
    if (n < 0 && !(n === -EIO && native.endsWithEio(this.#fd))) {
      this.onFailure(systemError(n, `cannot read fd ${this.#fd}`, "read"));
      return;
    }
    this.#stream.push(null);
    this.#stream.read(0); // emits "end" if nothing is buffered
  }

  onFailure(error: Error): void {
    this.#stream.destroy(error);
  }

  #start(): void {
    try {
      this.watch.start();
    } catch (error) {
      this.refused = isTaken(error);
      this.onFailure(withAdvice(error as NodeJS.ErrnoException, this.#fd));
    }
  }
}

/** The writable side: writes what the descriptor takes, and the rest when it is ready. */
export class WriteHalf implements WatchObserver {
  readonly #fd: number;
  readonly watch: DescriptorWatch;
  refused = false;
  #chunks: readonly Uint8Array[] = [];
  #at = 0;
  #offset = 0;
  #done: Done | null = null;

  constructor(fd: number) {
    this.#fd = fd;
    this.watch = new DescriptorWatch(fd, EVENT_WRITE, this);
  }

  write(chunks: readonly Uint8Array[], done: Done): void {
    this.#chunks = chunks;
    this.#at = 0;
    this.#offset = 0;
    this.#done = done;
    this.onReady();
  }

  onReady(): void {
    for (let writes = 0; this.#at < this.#chunks.length; ) {
      const chunk = this.#chunks[this.#at] as Uint8Array;
      if (this.#offset === chunk.length) {
        this.#at++;
        this.#offset = 0;
        continue;
      }
      const n = writes++ < WRITES_PER_TURN ? write(this.#fd, chunk, this.#offset) : -EAGAIN;
      if (n < 0) {
        if (n === -EAGAIN) this.#await();
        else this.#settle(systemError(n, `cannot write to fd ${this.#fd}`, "write"));
        return;
      }
      this.#offset += n;
    }
    this.#settle(null);
  }

  onFailure(error: Error): void {
    this.#settle(error);
  }

  /** Ends a write that is under way. */
  cancel(error: Error | null): void {
    if (this.#done !== null) this.#settle(error ?? canceledWrite(this.#fd));
    this.watch.stop();
  }

  #await(): void {
    try {
      this.watch.start();
    } catch (error) {
      this.refused = isTaken(error);
      this.#settle(withAdvice(error as NodeJS.ErrnoException, this.#fd));
    }
  }

  #settle(error: Error | null): void {
    this.watch.stop();
    const done = this.#done;
    this.#done = null;
    this.#chunks = [];
    done?.(error);
  }
}

function canceledWrite(fd: number): Error {
  const error = new Error(
    `cannot write to fd ${fd}: the stream was destroyed before the write ended`,
  );
  return Object.assign(error, { code: "ECANCELED" });
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_SELECTOR_KEY_EXISTS";
}

/** With the advice of a stream instead of a selector's. */
function withAdvice(error: NodeJS.ErrnoException, fd: number): Error {
  const { code, errno, syscall } = error;
  if (code !== "EPERM" || errno === undefined) return error;
  const advice = `fd ${fd} is a regular file or a folder: use node:fs`;
  return systemError(errno, `cannot watch fd ${fd}`, syscall, advice);
}
