// How numbers and foreign text are written, in one place: significant digits, units that a reader
// takes in at a glance, thousands separators.

/** How a number is written, and the same as its digits and its unit. */
export interface Format {
  (value: number): string;
  /** @param like a value whose unit is used; default: the value's own. */
  readonly parts: (value: number, like?: number) => Written;
}

export interface Written {
  readonly digits: string;
  /** With the space before it; empty for a plain number. */
  readonly unit: string;
  /** The number that the digits show, in that unit. */
  readonly size: number;
}

/** A format of what writes digits and unit apart. */
export function formatOf(write: (value: number, like: number) => Written): Format {
  const parts = (value: number, like = value) => write(value, like);
  const format = (value: number) => {
    const { digits, unit } = parts(value);
    return digits + unit;
  };
  return Object.assign(format, { parts });
}

/** A value without zeros that show nothing, for an axis: "1.5 ms" for "1.50 ms", "0" for "0 ns". */
export function shortest({ parts }: Format): (value: number) => string {
  return (value) => {
    const { size, unit } = parts(value);
    return value === 0 ? "0" : size.toLocaleString("en-US", { maximumFractionDigits: 12 }) + unit;
  };
}

/** What stands if nothing was measured. */
export const absent = "–";

/** A number with so many significant digits, never in exponent form: 9.70, 11.1, 105, 12,300. */
export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return absent;
  if (value === 0) return "0";
  const size = rounded(value, digits);
  const magnitude = Math.floor(Math.log10(Math.abs(size)));
  const decimals = Math.min(100, Math.max(0, digits - 1 - magnitude));
  const [whole = "", fraction] = size.toFixed(decimals).split(".");
  return withSeparators(whole) + (fraction === undefined ? "" : `.${fraction}`);
}

/** A whole number with thousands separators: 1,234,567. */
export function count(value: number): string {
  return Number.isFinite(value) ? withSeparators(Math.round(value).toFixed(0)) : absent;
}

/** A number of no unit with three significant digits. */
export const plainNumber = formatOf((value) => {
  return { digits: significant(value), unit: "", size: rounded(value, 3) };
});

/** A count in at most five characters: 999, 12.3k, 120k, 1.23M. */
export function shortCount(value: number): string {
  return scaled(value, { step: 1000, units: ["", "k", "M", "G", "T"] });
}

const times = { step: 1000, units: [" ns", " µs", " ms", " s"] };

/** Microseconds in the unit that suits them: 850 ns, 412 µs, 1.24 ms, 41.0 ms, 2.31 s. */
export const duration = formatOf((value, like) =>
  scaledParts(value * 1e3, like * 1e3, { ...times, padded: true }),
);

/** The same in fewer characters, for an axis or a narrow table: 10 µs, 1.24 ms, 41 ms. */
export function shortDuration(microseconds: number): string {
  return scaled(microseconds * 1e3, times);
}

/** Minutes and seconds of a time that passes: 1:05. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Bytes in the unit that suits them: 64 B, 16 KiB, 23.4 GiB. */
export const bytes = formatOf((value, like) => {
  const written = scaledParts(Math.abs(value), Math.abs(like), {
    ...{ step: 1024, units: [" B", " KiB", " MiB", " GiB", " TiB"] },
  });
  if (value >= 0 || written.size === 0) return written;
  return { ...written, digits: `−${written.digits}`, size: -written.size };
});

/** A ratio to two decimals, fewer where it is large: 1.07, 12.3, 150. */
export const ratio = formatOf((value) => {
  const size = rounded(value, value < 1 ? 2 : 3);
  // 0.997 is 1.00.
  return { digits: significant(size, size < 1 ? 2 : 3), unit: "", size };
});

/** A percentage without its sign: 0.3, 41.4, 100. */
export function percent(value: number): string {
  if (!Number.isFinite(value)) return absent;
  return Math.abs(value) < 0.05 ? "0.0" : value.toFixed(value < 99.95 ? 1 : 0);
}

/** How many microseconds a unit of time holds; undefined for other units. */
export function microsecondsIn(unit: string): number | undefined {
  return new Map([
    ["ns", 1e-3],
    ["us", 1],
    ["ms", 1e3],
    ["s", 1e6],
  ]).get(unit);
}

/** The words of a camelCase name: "readBufferBytes" is "read buffer bytes"; other names stay. */
export function words(name: string): string {
  return /^[a-z][A-Za-z0-9]*$/.test(name)
    ? name.replace(
        /([a-z0-9])([A-Z])/g,
        (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
      )
    : plainLine(name);
}

/** "1 block", "1,234 blocks". */
export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** "a, b and c". */
export function enumerate(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}

/** Foreign text as one printable line, without escape sequences that repaint a terminal. */
export function plainLine(text: string): string {
  return text
    .replace(/[\n\r\t]+/g, " ")
    .replace(/\p{Cc}\[[0-?]*[ -/]*[@-~]/gu, "")
    .replace(/\p{Cc}\][^\p{Cc}]*\p{Cc}\\?/gu, "")
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
}

/** Any value of the settings or the environment as text; bytes by the name's ending. */
export function freeValue(name: string, value: unknown): string {
  if (value === null || value === undefined) return absent;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return freeNumber(name, value);
  if (Array.isArray(value)) return value.map((item) => freeValue(name, item)).join(", ") || absent;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(
      ([key, item]) => `${words(key)} ${freeValue(key, item)}`,
    );
    return entries.join("; ") || absent;
  }
  return plainLine(String(value)) || absent;
}

function freeNumber(name: string, value: number): string {
  if (/bytes$/i.test(name)) return bytes(value);
  return Number.isInteger(value) && /seed|pid|port/i.test(name) === false
    ? count(value)
    : String(Number(value.toPrecision(6)));
}

interface UnitScale {
  readonly step: number;
  /** From the smallest, in which the value comes. */
  readonly units: readonly string[];
  /** Whether a whole number keeps its zeros: 41.0 next to 38.4. */
  readonly padded?: boolean;
}

function scaled(value: number, scale: UnitScale): string {
  const { digits, unit } = scaledParts(value, value, scale);
  return digits + unit;
}

/** Three digits in the largest unit that leaves at least 1 of `like`; whole in the smallest. */
function scaledParts(value: number, like: number, scale: UnitScale): Written {
  const { step, units, padded = false } = scale;
  if (!Number.isFinite(value)) return { digits: absent, unit: "", size: value };
  let [size, model, unit] = [value, like, 0];
  // By what would be printed, or 999.7 µs would come out as 1,000 µs, and 1,023.6 B as 1,024 B.
  const printed = () => Math.max(model, unit === 0 ? Math.round(model) : rounded(model, 3));
  while (printed() >= step && unit < units.length - 1) {
    [size, model, unit] = [size / step, model / step, unit + 1];
  }
  const whole = unit === 0 || (Number.isInteger(size) && !padded);
  return {
    digits: whole ? count(size) : significant(size),
    unit: units[unit] ?? "",
    size: whole ? Math.round(size) : rounded(size, 3),
  };
}

/** To so many significant digits. */
export function rounded(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}

function withSeparators(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}
