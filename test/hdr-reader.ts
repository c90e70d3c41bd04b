// Reads HdrHistogram's V2 encoding, written from its description and independent of this
// repository's encoder, so that it checks the load generator's output.

/** A bin's largest value and how many values it holds; empty bins are left out. */
export type Bins = readonly (readonly [number, number])[];

const headerBytes = 40;

/** @throws {Error} if it is not V2 with three digits. */
export function bins(base64: string): Bins {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.readUInt32BE(0) !== 0x1c849313) throw new Error("not the V2 cookie");
  if (bytes.readUInt32BE(12) !== 3) throw new Error("not three digits");
  const payload = bytes.subarray(headerBytes);
  if (payload.length !== bytes.readUInt32BE(4)) throw new Error("not the length it says");
  const found: [number, number][] = [];
  let index = 0;
  for (const value of zigZags(payload)) {
    if (value > 0) found.push([largestOf(index), value]);
    index += value < 0 ? -value : 1;
  }
  return found;
}

export function countFrom(base64: string): number {
  return bins(base64).reduce((total, [, count]) => total + count, 0);
}

/** Over the bins of one or several histograms. */
export function quantile(all: Bins, share: number): number {
  const sorted = [...all].sort(([a], [b]) => a - b);
  const wanted = share * sorted.reduce((total, [, count]) => total + count, 0);
  let seen = 0;
  for (const [value, count] of sorted) {
    seen += count;
    if (seen >= wanted) return value;
  }
  return 0;
}

function* zigZags(bytes: Buffer): Generator<number> {
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    yield Number((value >> 1n) ^ -(value & 1n));
    value = 0n;
    shift = 0n;
  }
}

/** 2,048 bins of one, then 1,024 of two, 1,024 of four and so on. */
function largestOf(index: number): number {
  const doubling = Math.max(0, Math.floor(index / 1024) - 1);
  return (index - doubling * 1024 + 1) * 2 ** doubling - 1;
}
