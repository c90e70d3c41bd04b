// FrameCutter: cuts received bytes into frames of one format, and keeps the incomplete frame of
// each connection until the rest arrives.

import type { Connection } from "./connection.ts";
import { release, roleOf, takeOver, unread, withholds } from "./connection-symbols.ts";
import type { EngineConnection } from "./engine-connection.ts";

/** Results of payloadEnd: the frame is incomplete, or too long. */
export const INCOMPLETE = -1;
export const TOO_LONG = -2;

export interface FrameFormat {
  /** Bytes before the payload of a frame, and after it. */
  readonly headBytes: number;
  readonly tailBytes: number;
  /** In words, for errors: `a line of more than 1024 bytes`. */
  readonly tooLong: string;
  /**
   * @param from where the frame begins.
   * @param seen bytes before this place were examined by an earlier call.
   * @returns where its payload ends, or INCOMPLETE, or TOO_LONG.
   */
  payloadEnd(bytes: Uint8Array, from: number, seen: number): number;
}

export type OnFrame<T> = (connection: Connection<T>, bytes: Uint8Array) => void;
/** Gets the connection whose peer sent a frame that was refused, and why. */
export type OnRefused<T> = (connection: Connection<T>, error: FramingError) => void;

/** Why a received frame was refused. */
export class FramingError extends Error {
  /** "FramingError" */
  override readonly name = "FramingError";
  /** Longer than `longest`, or cut off by the end of the connection. */
  readonly code: "ERR_FRAME_TOO_LONG" | "ERR_FRAME_CUT_OFF";

  constructor(code: FramingError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export class FrameCutter<T> {
  readonly #format: FrameFormat;
  readonly #onFrame: OnFrame<T>;
  readonly #onRefused: OnRefused<T>;
  readonly #begun = new WeakMap<Connection<T>, Begun>();
  /** Nothing that follows a frame that was refused can be one. */
  readonly #refused = new WeakSet<Connection<T>>();
  /** What #cut() is cutting: a handler that it calls may detach the connection, or run a turn. */
  #cutting: Cutting<T> | null = null;

  constructor(format: FrameFormat, onFrame: OnFrame<T>, onRefused: OnRefused<T> = destroyWith) {
    this.#format = format;
    this.#onFrame = onFrame;
    this.#onRefused = onRefused;
  }

  data(connection: Connection<T>, bytes: Uint8Array): void {
    if (this.#refused.has(connection)) return;
    const begun = this.#begun.get(connection);
    if (begun === undefined) {
      const cut = this.#cut(connection, bytes, 0);
      if (cut < bytes.length) this.#begun.set(connection, new Begun(bytes.subarray(cut)));
      return;
    }
    this.#begun.delete(connection); // a handler that is called now may set other handlers
    const seen = begun.bytes.length;
    begun.append(bytes);
    const cut = this.#cut(connection, begun.bytes, seen);
    if (cut === begun.bytes.length) return;
    begun.drop(cut);
    this.#begun.set(connection, begun);
  }

  /** Takes the begun frame of a connection. */
  take(connection: Connection<T>): Uint8Array | null {
    const begun = this.#begun.get(connection);
    if (begun === undefined) return null;
    this.#begun.delete(connection);
    return begun.bytes;
  }

  /** A part of its handlers: those that follow them get the bytes that are no frame yet. */
  readonly reader = {
    [release]: (connection: Connection<T>, giveBack: (bytes: Uint8Array) => void): void => {
      const begun = this.take(connection);
      if (begun !== null) giveBack(begun);
      for (let one = this.#cutting; one !== null; one = one.outer) {
        if (one.connection === connection) one.takeRest(giveBack);
      }
    },
  };

  refuse(connection: Connection<T>, code: FramingError["code"], message: string): void {
    this.#refused.add(connection);
    // The handler ends this side, at once or later, perhaps with an answer.
    (connection as EngineConnection<T>)[takeOver]({ endsItself: true });
    this.#onRefused(connection, new FramingError(code, message));
  }

  /** @returns how many bytes have been dealt with. */
  #cut(connection: Connection<T>, bytes: Uint8Array, seen: number): number {
    const { headBytes, tailBytes, tooLong } = this.#format;
    const served = connection as EngineConnection<T>;
    const { handlers } = served[roleOf];
    const cutting = new Cutting(connection, bytes, this.#cutting);
    this.#cutting = cutting;
    try {
      while (cutting.from < bytes.length) {
        const { from } = cutting;
        const end = this.#format.payloadEnd(bytes, from, seen);
        if (end === INCOMPLETE) return from;
        if (end === TOO_LONG) {
          this.refuse(connection, "ERR_FRAME_TOO_LONG", `the peer sent ${tooLong}`);
          return bytes.length;
        }
        cutting.from = end + tailBytes;
        this.#onFrame(connection, bytes.subarray(from + headBytes, end));
        if (connection.closed) return bytes.length;
        if (served[withholds] || served[roleOf].handlers !== handlers) {
          // Kept by the connection, which delivers it later, perhaps to other handlers.
          cutting.takeRest((rest) => served[unread](rest));
        }
      }
      return bytes.length;
    } finally {
      this.#cutting = cutting.outer;
    }
  }
}

function destroyWith<T>(connection: Connection<T>, error: FramingError): void {
  connection.destroy(error);
}

/** Bytes of a connection whose frames are given to the program now. */
class Cutting<T> {
  readonly connection: Connection<T>;
  /** What was being cut when this was begun. */
  readonly outer: Cutting<T> | null;
  readonly #bytes: Uint8Array;
  /** Where the frame begins that follows the one given last. */
  from = 0;

  constructor(connection: Connection<T>, bytes: Uint8Array, outer: Cutting<T> | null) {
    this.connection = connection;
    this.#bytes = bytes;
    this.outer = outer;
  }

  takeRest(giveBack: (rest: Uint8Array) => void): void {
    const rest = this.#bytes.subarray(this.from);
    this.from = this.#bytes.length;
    if (rest.length > 0) giveBack(rest);
  }
}

/** A begun frame. It grows by doubling: a peer costs what it has sent, not what it announced. */
class Begun {
  #buffer: Uint8Array;
  #length: number;

  constructor(bytes: Uint8Array) {
    this.#buffer = bytes.slice();
    this.#length = bytes.length;
  }

  /** A view that is valid until the next append() or drop(). */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  drop(bytes: number): void {
    this.#buffer.copyWithin(0, bytes, this.#length);
    this.#length -= bytes;
  }
}
