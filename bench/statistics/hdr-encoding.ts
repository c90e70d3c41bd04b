// The wire form of a histogram: HdrHistogram's V2 encoding, uncompressed, in base64. Big-endian
// header of 40 bytes (cookie, payload length, normalizing offset, digits, lowest, highest, ratio),
// then one ZigZag LEB128 number per bucket, negative for a run of empty ones. See
// AbstractHistogram.encodeIntoByteBuffer and ZigZagEncoding of HdrHistogram.

import { Histogram } from "./histogram.ts";

const headerBytes = 40;
const cookieBase = 0x1c849303;
/** The cookie's second half-byte tells the word size; 1 means variable-length numbers. */
const cookie = cookieBase | 0x10;
const wordSizeBits = 0xf0;
/** HdrHistogram's variant of LEB128: a ninth byte has eight bits, so that none needs a tenth. */
const maxWordBytes = 9;

/** Text that is not a histogram, or not one of a kind that this reader knows. */
export class HistogramFormatError extends Error {
  override readonly name = "HistogramFormatError";
}

/** @throws {HistogramFormatError} naming what is wrong with the text. */
export function decodeHistogram(base64: string): Histogram {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw new HistogramFormatError("not base64");
  const bytes = Buffer.from(base64, "base64");
  const histogram = decodeHeader(bytes);
  const end = headerBytes + bytes.readInt32BE(4);
  try {
    decodeCounts(bytes.subarray(headerBytes, end), histogram);
  } catch (error) {
    if (error instanceof RangeError) throw new HistogramFormatError(error.message);
    throw error;
  }
  return histogram;
}

/** The histogram as text that any HdrHistogram library reads. */
export function encodeHistogram(histogram: Histogram): string {
  const payload = encodeCounts(histogram.counts);
  const header = Buffer.alloc(headerBytes);
  header.writeInt32BE(cookie, 0);
  header.writeInt32BE(payload.length, 4);
  header.writeInt32BE(0, 8);
  header.writeInt32BE(histogram.geometry.digits, 12);
  header.writeBigInt64BE(BigInt(histogram.geometry.lowest), 16);
  header.writeBigInt64BE(BigInt(histogram.geometry.highest), 24);
  header.writeDoubleBE(1, 32);
  return Buffer.concat([header, Buffer.from(payload)]).toString("base64");
}

function decodeHeader(bytes: Buffer): Histogram {
  if (bytes.length < headerBytes) {
    throw new HistogramFormatError(`${bytes.length} bytes; the header alone has ${headerBytes}`);
  }
  const found = bytes.readInt32BE(0);
  if ((found & ~wordSizeBits) !== cookieBase) {
    throw new HistogramFormatError(
      `cookie 0x${(found >>> 0).toString(16)} is not of an uncompressed V2 histogram`,
    );
  }
  const length = bytes.readInt32BE(4);
  if (length < 0 || length > bytes.length - headerBytes) {
    throw new HistogramFormatError(
      `truncated: ${bytes.length - headerBytes} of ${length} bytes of counts`,
    );
  }
  // The ratio at 32 is not looked at: it belongs to floating-point histograms, and libraries
  // disagree on its form.
  if (bytes.readInt32BE(8) !== 0) throw new HistogramFormatError("shifted histograms are not read");
  const digits = bytes.readInt32BE(12);
  const lowest = Number(bytes.readBigInt64BE(16));
  // Past 2^53 a number is no longer exact; nanoseconds get there after 104 days.
  const highest = Math.min(Number(bytes.readBigInt64BE(24)), Number.MAX_SAFE_INTEGER);
  try {
    return new Histogram({ lowest, highest, digits });
  } catch (error) {
    throw new HistogramFormatError(error instanceof Error ? error.message : String(error));
  }
}

function decodeCounts(payload: Uint8Array, histogram: Histogram): void {
  const words = decodeWords(payload);
  let index = 0;
  for (const word of words) {
    if (word < 0) {
      index -= word;
    } else {
      if (word > 0) histogram.addAt(index, word);
      index++;
    }
  }
}

function* decodeWords(payload: Uint8Array): Generator<number> {
  let zigzag = 0;
  let length = 0;
  for (const byte of payload) {
    length++;
    const last = length === maxWordBytes;
    // Multiplied, not shifted: shifts are 32 bits wide, counts are not.
    zigzag += (last ? byte : byte & 0x7f) * 2 ** (7 * (length - 1));
    if (byte >= 0x80 && !last) continue;
    if (zigzag > Number.MAX_SAFE_INTEGER) throw new HistogramFormatError("a count beyond 2^53");
    yield zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    zigzag = 0;
    length = 0;
  }
  if (length > 0) throw new HistogramFormatError("truncated inside a count");
}

function encodeCounts(counts: readonly number[]): number[] {
  const bytes: number[] = [];
  let index = 0;
  while (index < counts.length) {
    const first = index;
    while (counts[index] === 0) index++;
    const zeros = index - first;
    // A single empty bucket is written as a zero, as the original does: readers take both, byte
    // comparison does not.
    if (zeros > 1) pushWord(bytes, zeros * 2 - 1);
    else if (zeros === 1) pushWord(bytes, 0);
    else pushWord(bytes, (counts[index++] ?? 0) * 2);
  }
  return bytes;
}

/** LEB128 of a number that ZigZag has made non-negative. Below 2^53 eight bytes are enough. */
function pushWord(bytes: number[], zigzag: number): void {
  let rest = zigzag;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}
