// The results of a tally, in a file that outlives it: a line of JSON that describes the tally, then
// one per run. A last line that was cut off is dropped.

import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

/** One run of the gate, whose answer was known. */
export interface SeenRun {
  readonly seed: number;
  readonly right: boolean;
  readonly outcome: string;
  readonly seconds: number;
  readonly brief: string;
}

export class Seen {
  readonly #file: string | null;
  readonly #runs: SeenRun[] = [];

  /**
   * @param file null to keep nothing. @param of the experiment, in words.
   * @throws {Error} where the file is of another one, or cannot be read or written.
   */
  constructor(file: string | null, of: string) {
    this.#file = file;
    if (file === null) return;
    const [head = "", ...lines] = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    if (head !== "" && head !== JSON.stringify({ of })) {
      throw new Error(`"${file}" is not of "${of}"; it begins with ${head.slice(0, 80)}`);
    }
    // Empty, or cut off in the middle.
    lines.pop();
    this.#runs.push(...lines.map((line) => JSON.parse(line) as SeenRun));
    writeFileSync(file, [JSON.stringify({ of }), ...lines, ""].join("\n"));
  }

  get runs(): readonly SeenRun[] {
    return this.#runs;
  }

  has(seed: number): boolean {
    return this.#runs.some((run) => run.seed === seed);
  }

  add(run: SeenRun): void {
    this.#runs.push(run);
    if (this.#file !== null) appendFileSync(this.#file, `${JSON.stringify(run)}\n`);
  }
}
