// How far a long test is, with its rate and the time left: on a terminal one line that is rewritten
// in place, elsewhere a line for every tenth.

const ERASE_LINE = "\r\u001b[K";
const DRAW_EVERY_MS = 250;
const LINES = 10;

export class Progress {
  readonly #total: number;
  readonly #unit: string;
  readonly #inPlace = process.stderr.isTTY === true;
  readonly #startedMs = performance.now();
  #drawnMs = Number.NEGATIVE_INFINITY;
  #lines = 0;

  constructor(total: number, unit: string) {
    this.#total = total;
    this.#unit = unit;
  }

  get seconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  /** @param detail completes the line. */
  show(done: number, detail = ""): void {
    if (this.#inPlace) this.#draw(done, detail);
    else this.#print(done, detail);
  }

  /** Takes the line away, for what is said next. */
  clear(): void {
    if (this.#inPlace) process.stderr.write(ERASE_LINE);
  }

  #draw(done: number, detail: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < DRAW_EVERY_MS) return;
    this.#drawnMs = nowMs;
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(ERASE_LINE + this.#line(done, detail).slice(0, width));
  }

  #print(done: number, detail: string): void {
    const lines = Math.floor((done / this.#total) * LINES);
    if (lines <= this.#lines) return;
    this.#lines = lines;
    process.stderr.write(`${this.#line(done, detail)}\n`);
  }

  #line(done: number, detail: string): string {
    const rate = done / this.seconds;
    const left = rate > 0 ? clock((this.#total - done) / rate) : "?";
    const share = `${Math.floor((100 * done) / this.#total)} %`.padStart(5);
    return `${share}  ${formatCount(rate)} ${this.#unit}/s, ${left} left${detail && `; ${detail}`}`;
  }
}

export function formatCount(count: number): string {
  return (Math.round(count) + 0).toLocaleString("en-US");
}

/** "1:05". */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
