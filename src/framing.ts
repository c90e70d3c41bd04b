// Framing: handlers that receive lines or length-prefixed messages instead of `data`. Every other
// handler is passed through.

import {
  assertBoolean,
  assertFunction,
  assertNumber,
  assertObject,
  assertString,
} from "./arguments.ts";
import type { Connection, ConnectionHandlers } from "./connection.ts";
import { roleOf, unread } from "./connection-symbols.ts";
import type { EngineConnection } from "./engine-connection.ts";
import { invalidType, invalidValue } from "./errors.ts";
import {
  FrameCutter,
  type FrameFormat,
  INCOMPLETE,
  type OnRefused,
  TOO_LONG,
} from "./frame-cutter.ts";
import { boundHandlers } from "./handlers.ts";

const LONGEST_FRAME = 64 << 10;
const LARGEST_LONGEST = 2 ** 31 - 1;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The handlers of a connection without `data`, and the options of both formats. */
interface FramingOptions<T> extends ConnectionHandlers<T> {
  /** Not allowed: the framing receives the bytes. */
  readonly data?: never;
  /** Bytes of the longest line or message, without newline or prefix; 64 KiB by default. */
  readonly longest?: number;
  /**
   * Called for a frame that is longer than `longest`, or that the end of the connection cuts off.
   * The handler ends or destroys the connection, at once or later; what the peer still sends is
   * discarded. Without this handler it is destroyed with the error.
   */
  readonly onRefused?: OnRefused<T>;
}

/** Options of lines(), and handlers that it passes through. */
export interface LinesOptions<T = undefined> extends FramingOptions<T> {
  /** Called for each line without its "\n" or "\r\n"; at the end also for one without a newline. */
  readonly onLine: (connection: Connection<T>, line: string) => void;
  /** The encoding of the lines; UTF-8 by default. */
  readonly encoding?: BufferEncoding;
}

/** Options of lines() for lines as bytes, and handlers that it passes through. */
export interface ByteLinesOptions<T = undefined> extends FramingOptions<T> {
  /** The same with bytes: a view that is valid until the handler returns. */
  readonly onLine: (connection: Connection<T>, line: Uint8Array) => void;
  /** Null: the lines are not decoded. */
  readonly encoding: null;
}

/** Options of lengthPrefixed(), and handlers that it passes through. */
export interface LengthPrefixedOptions<T = undefined> extends FramingOptions<T> {
  /** Bytes of the length before each message; 4 by default. */
  readonly prefixBytes?: 1 | 2 | 4;
  /** Whether the length begins with its least significant byte; false by default. */
  readonly littleEndian?: boolean;
  /**
   * Called for each message, without its prefix.
   * @param message a view that is valid until the handler returns.
   */
  readonly onMessage: (connection: Connection<T>, message: Uint8Array) => void;
}

/** What lengthPrefixed() returns: handlers that receive messages, and `send`. */
export interface LengthPrefixed<T = undefined> extends ConnectionHandlers<T> {
  /**
   * Writes one message with its length before it.
   * @returns as Connection.write.
   * @throws {RangeError} ERR_INVALID_ARG_VALUE if it is longer than `longest`.
   */
  send(connection: Connection<T>, message: Uint8Array | string): boolean;
}

/**
 * Handlers that receive lines. A line that arrived in one piece is decoded in place; with
 * `encoding: null` it is not copied at all.
 * @throws {RangeError} ERR_INVALID_ARG_VALUE if `longest` is not a number of bytes from 1 on.
 */
export function lines<T = undefined>(options: LinesOptions<T>): ConnectionHandlers<T>;
export function lines<T = undefined>(options: ByteLinesOptions<T>): ConnectionHandlers<T>;
export function lines<T = undefined>(
  options: LinesOptions<T> | ByteLinesOptions<T>,
): ConnectionHandlers<T> {
  assertObject(options, "options");
  const { longest = LONGEST_FRAME, encoding = "utf8" } = options;
  if (encoding !== null) assertEncoding(encoding);
  assertLongest(longest, LARGEST_LONGEST);
  assertFunction(options.onLine, "onLine");
  const { handlers, onRefused } = passedThrough(options);
  const onBytes = options.onLine.bind(options) as ByteLinesOptions<T>["onLine"];
  const onText = onBytes as unknown as LinesOptions<T>["onLine"];
  const emit = (connection: Connection<T>, bytes: Uint8Array) => {
    const line = bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes;
    if (encoding === null) onBytes(connection, line);
    else onText(connection, textOf(line, encoding));
  };
  const cutter = new FrameCutter<T>(lineFormat(longest), emit, onRefused);
  return {
    ...handlers,
    ...cutter.reader,
    data: (connection, bytes) => cutter.data(connection, bytes),
    end(connection) {
      const served = connection as EngineConnection<T>;
      const { handlers: before } = served[roleOf];
      const last = cutter.take(connection);
      if (last !== null) emit(connection, last);
      const others = served[roleOf].handlers !== before;
      // It is answered later, and then this side ends; or the end is for the handlers that follow.
      if (last !== null && (connection.paused || others)) served[unread]("end");
      else if (!connection.closed) handlers.end?.(connection);
    },
  };
}

/**
 * Handlers that receive messages with their length in front, as in many binary protocols.
 * @throws {RangeError} ERR_INVALID_ARG_VALUE for an invalid length, or one that exceeds the prefix.
 */
export function lengthPrefixed<T = undefined>(
  options: LengthPrefixedOptions<T>,
): LengthPrefixed<T> {
  assertObject(options, "options");
  const { prefixBytes = 4, littleEndian = false } = options;
  assertNumber(prefixBytes, "prefixBytes");
  assertBoolean(littleEndian, "littleEndian");
  if (prefixBytes !== 1 && prefixBytes !== 2 && prefixBytes !== 4) {
    throw invalidValue(`prefixBytes is ${String(prefixBytes)}; 1, 2 or 4 is needed`);
  }
  const most = Math.min(256 ** prefixBytes - 1, LARGEST_LONGEST);
  const { longest = Math.min(LONGEST_FRAME, most) } = options;
  assertLongest(longest, most);
  assertFunction(options.onMessage, "onMessage");
  const { handlers, onRefused } = passedThrough(options);
  const prefix = new Prefix(prefixBytes, littleEndian);
  const onMessage = options.onMessage.bind(options);
  const cutter = new FrameCutter<T>(messageFormat(prefix, longest), onMessage, onRefused);
  return {
    ...handlers,
    ...cutter.reader,
    data: (connection, bytes) => cutter.data(connection, bytes),
    end(connection) {
      const rest = cutter.take(connection);
      const message = `the peer ended after ${rest?.length} bytes of a message and its length`;
      if (rest !== null) cutter.refuse(connection, "ERR_FRAME_CUT_OFF", message);
      if (!connection.closed) handlers.end?.(connection);
    },
    send(connection, message) {
      const bytes = typeof message === "string" ? Buffer.from(message) : message;
      // Before the prefix: a message that write() refuses would leave it alone on the way.
      if (!(bytes instanceof Uint8Array)) {
        throw invalidType(`a Uint8Array or a string is needed to send; got ${typeof bytes}`);
      }
      if (bytes.length > longest) {
        throw invalidValue(`cannot send a message of ${bytes.length} bytes: longest is ${longest}`);
      }
      connection.write(prefix.of(bytes.length));
      return connection.write(bytes);
    },
  };
}

/** With their object as `this`, so that it may be one of a class. */
function passedThrough<T>(options: FramingOptions<T>) {
  const { data, onRefused } = options;
  if (data !== undefined) throw invalidValue("data is not allowed here: the framing receives it");
  if (onRefused !== undefined) assertFunction(onRefused, "onRefused");
  return { handlers: boundHandlers(options), onRefused: onRefused?.bind(options) };
}

function assertEncoding(encoding: string): void {
  assertString(encoding, "encoding");
  if (/^(?:utf-?16le|ucs-?2)$/i.test(encoding)) {
    throw invalidValue(`encoding is "${encoding}", whose newline has two bytes; use null`);
  }
  if (Buffer.isEncoding(encoding)) return;
  throw invalidValue(`encoding is "${encoding}", which Node does not know; "utf8" is usual`);
}

function lineFormat(longest: number): FrameFormat {
  return {
    headBytes: 0,
    tailBytes: 1,
    tooLong: `a line of more than ${longest} bytes`,
    payloadEnd(bytes, from, seen) {
      const newline = bytes.indexOf(NEWLINE, Math.max(from, seen));
      const end = newline < 0 ? bytes.length : newline;
      const length = end - from - (bytes[end - 1] === RETURN ? 1 : 0);
      if (length > longest) return TOO_LONG;
      return newline < 0 ? INCOMPLETE : newline;
    },
  };
}

function messageFormat(prefix: Prefix, longest: number): FrameFormat {
  return {
    headBytes: prefix.bytes,
    tailBytes: 0,
    tooLong: `the length of a message of more than ${longest} bytes`,
    payloadEnd(bytes, from) {
      const begin = from + prefix.bytes;
      if (begin > bytes.length) return INCOMPLETE;
      const length = prefix.read(bytes, from);
      if (length > longest) return TOO_LONG;
      return begin + length > bytes.length ? INCOMPLETE : begin + length;
    },
  };
}

/** An unsigned length in 1, 2 or 4 bytes. */
class Prefix {
  readonly bytes: number;
  readonly #littleEndian: boolean;

  constructor(bytes: number, littleEndian: boolean) {
    this.bytes = bytes;
    this.#littleEndian = littleEndian;
  }

  read(bytes: Uint8Array, at: number): number {
    let length = 0;
    for (let i = 0; i < this.bytes; i++) {
      length = length * 256 + (bytes[at + (this.#littleEndian ? this.bytes - 1 - i : i)] as number);
    }
    return length;
  }

  of(length: number): Uint8Array {
    const written = new Uint8Array(this.bytes);
    for (let i = 0, left = length; i < this.bytes; i++, left = Math.floor(left / 256)) {
      written[this.#littleEndian ? i : this.bytes - 1 - i] = left % 256;
    }
    return written;
  }
}

function textOf(bytes: Uint8Array, encoding: BufferEncoding): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding);
}

function assertLongest(longest: number, most: number): void {
  assertNumber(longest, "longest");
  if (Number.isInteger(longest) && longest >= 1 && longest <= most) return;
  throw invalidValue(
    `longest is ${String(longest)}; a number of bytes from 1 to ${most} is needed`,
  );
}
