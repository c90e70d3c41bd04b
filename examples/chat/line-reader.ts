// Cuts a stream of bytes, in pieces of any size, into lines of text.

/** A line without its end, or why there is none. */
export type Line = { readonly text: string } | { readonly problem: string };

const NEWLINE = 10;
const decoder = new TextDecoder("utf-8", { fatal: true });

export class LineReader {
  readonly #longestBytes: number;
  #kept = new Uint8Array(0);
  #skipping = false;

  /** @param longestBytes of a line, its end not counted: no peer makes us keep more than that. */
  constructor(longestBytes: number) {
    this.#longestBytes = longestBytes;
  }

  /** What these bytes completed. An empty line, or one of a carriage return alone, is left out. */
  feed(bytes: Uint8Array): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.#keep(bytes.subarray(from, end), lines);
      this.#complete(lines);
      from = end + 1;
    }
    this.#keep(bytes.subarray(from), lines);
    return lines;
  }

  /** The stream has ended: its last line may lack an end. */
  finish(): Line[] {
    const lines: Line[] = [];
    this.#complete(lines);
    return lines;
  }

  #keep(bytes: Uint8Array, lines: Line[]): void {
    if (this.#skipping || bytes.length === 0) return;
    if (this.#kept.length + bytes.length > this.#longestBytes) {
      this.#skipping = true;
      this.#kept = new Uint8Array(0);
      lines.push({ problem: `a line of more than ${this.#longestBytes} bytes was skipped` });
      return;
    }
    const joined = new Uint8Array(this.#kept.length + bytes.length);
    joined.set(this.#kept);
    joined.set(bytes, this.#kept.length);
    this.#kept = joined;
  }

  #complete(lines: Line[]): void {
    const bytes = this.#kept;
    this.#kept = new Uint8Array(0);
    this.#skipping = false;
    if (bytes.length === 0) return;
    try {
      const text = decoder.decode(bytes).replace(/\r$/, "");
      if (text !== "") lines.push({ text });
    } catch {
      lines.push({ problem: "a line that is not UTF-8 was skipped" });
    }
  }
}
