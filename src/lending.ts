// One direction of socket I/O by the cheapest crossing into native code. Most servers receive into
// one buffer and send from one. Native code is lent that buffer once; a call then passes its
// arguments and its result through shared memory, which saves the Node-API calls that read and make
// values.

import { isInt32 } from "./arguments.ts";
import { native } from "./native.ts";

/** Descriptor, offset, length, result. */
const frame = new Int32Array(4);
native.lendFrame(frame);

/** The longest array that is lent, in bytes: it stays alive until another one is lent. */
const MOST_LENT_BYTES = 64 << 10;

/** Places in native Environment::lent. */
const directions = { receive: 0, send: 1 } as const;

/** The kind of a typed array, by name; undefined for any other value. */
const kindOf = intrinsicKind();

function intrinsicKind(): (value: unknown) => string | undefined {
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
  const getter = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)?.get;
  if (getter === undefined) throw new Error("this engine's typed arrays have no name");
  return Function.prototype.call.bind(getter);
}

/** One direction. The native call itself stays with recv() and send(): each knows its own. */
export class Lending {
  readonly #place: number;
  #lent: Uint8Array | null = null;
  #lentLength = 0;
  /** Lent as soon as it is used twice in a row. */
  #last: Uint8Array | null = null;

  constructor(direction: keyof typeof directions) {
    this.#place = directions[direction];
  }

  /** Puts what recv() or send() was given into the frame, if the lent bytes have such a part. */
  fillFrame(fd: number, bytes: Uint8Array | null, offset?: number, length?: number): boolean {
    if (bytes !== this.#lent || bytes === null) return false;
    // An array that was detached or shrunk lacks this byte, even if its prototype was replaced.
    if (bytes[this.#lentLength - 1] === undefined) return false;
    const from = offset === undefined ? 0 : offset;
    if (!isInt32(fd) || !isInt32(from)) return false;
    const count = length === undefined ? this.#lentLength - from : length;
    if (!isInt32(count)) return false;
    if (from < 0 || count <= 0 || from + count > this.#lentLength) return false;
    frame[0] = fd;
    frame[1] = from;
    frame[2] = count;
    return true;
  }

  /** Lends bytes that are used twice in a row. The plain call refuses all but a Uint8Array. */
  consider(bytes: unknown): void {
    if (kindOf(bytes) !== "Uint8Array") return;
    const array = bytes as Uint8Array;
    if (array !== this.#last) {
      this.#last = isLendable(array) ? array : null;
      return;
    }
    const length = native.lend(this.#place, array);
    this.#lent = length > 0 ? array : null;
    this.#lentLength = length;
  }
}

/** The result of the call that the frame was filled for. */
export function answerOfFrame(): number {
  return frame[3] as number;
}

/** An array that can grow would be used only up to the length with which it was lent. */
function isLendable(array: Uint8Array): boolean {
  try {
    const { resizable, growable } = array.buffer as { resizable?: boolean; growable?: boolean };
    return array.length <= MOST_LENT_BYTES && resizable !== true && growable !== true;
  } catch {
    return false; // a getter of the caller's threw
  }
}
