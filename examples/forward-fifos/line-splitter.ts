// Cuts chunks of bytes into lines, and keeps at most one unfinished line of a bounded length.

const NEWLINE = 0x0a;

/** Of a line with its newline, on both ends. */
export const LONGEST_LINE_BYTES = 64 << 10;

export class LineSplitter {
  readonly #onSkipped: (longest: number) => void;
  #rest = Buffer.alloc(0);
  #skipping = false;

  /** @param onSkipped called once for each line that is longer than LONGEST_LINE_BYTES */
  constructor(onSkipped: (longest: number) => void) {
    this.#onSkipped = onSkipped;
  }

  /** @returns the lines that this chunk completes, each a copy with its newline. */
  split(chunk: Uint8Array): Uint8Array[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    const found: Uint8Array[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      const line = bytes.subarray(from, at + 1);
      if (!this.#skipping && this.#fits(line)) found.push(line);
      this.#skipping = false;
      from = at + 1;
    }
    this.#rest = this.#skipping ? Buffer.alloc(0) : bytes.subarray(from);
    if (this.#rest.length > 0 && !this.#fits(this.#rest)) {
      this.#skipping = true;
      this.#rest = Buffer.alloc(0);
    }
    return found;
  }

  #fits(line: Uint8Array): boolean {
    if (line.length <= LONGEST_LINE_BYTES) return true;
    this.#onSkipped(LONGEST_LINE_BYTES);
    return false;
  }
}
