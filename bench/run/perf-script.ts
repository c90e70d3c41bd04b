// What `perf script` prints, folded: per sample a line with the process, a line per frame from the
// innermost, and an empty line. perf-script(1)

import type { CpuProfile, TimeCategory } from "../model/cpu-profile.ts";
import { categoryOf, isCompiledAtRunTime, isKernel, type SampledFrame } from "./time-categories.ts";

type Folded = Pick<CpuProfile, "samples" | "shares" | "frames" | "stacks">;

/** Counts samples while lines come, so that no text of a long profile is kept. */
export class PerfScript {
  readonly #counted: (pid: number) => boolean;
  readonly #shares = new Map<TimeCategory, number>();
  readonly #frames = new Map<string, number>();
  readonly #stacks = new Map<string, number>();
  #samples = 0;
  #pid: number | null = null;
  #stack: SampledFrame[] = [];

  /** @param counted whether a process is one of the server's. */
  constructor(counted: (pid: number) => boolean) {
    this.#counted = counted;
  }

  /** One line, without its end. */
  add(line: string): void {
    const frame = /^\s+[0-9a-f]+ (.+) \(((?:[^()]| \(deleted\))*)\)$/.exec(line);
    if (frame !== null) {
      const [, symbol = "", object = ""] = frame;
      this.#stack.push({ symbol: nameOf(symbol), object: basename(object) });
      return;
    }
    this.#endSample();
    const pid = /^\s*(\d+)\s*$/.exec(line)?.[1];
    this.#pid = pid === undefined ? null : Number(pid);
  }

  end(): Folded {
    this.#endSample();
    const bySamples = [...this.#stacks].sort(([, one], [, other]) => other - one);
    return {
      samples: this.#samples,
      shares: Object.fromEntries(this.#shares),
      frames: [...this.#frames.keys()],
      stacks: bySamples.map(([key, samples]) => [samples, ...key.split(" ").map(Number)]),
    };
  }

  #endSample(): void {
    const stack = this.#stack.reverse();
    const pid = this.#pid;
    this.#stack = [];
    this.#pid = null;
    if (pid === null || stack.length === 0 || !this.#counted(pid)) return;
    const category = categoryOf(stack);
    const key = stack.map((frame) => this.#indexOf(frame)).join(" ");
    this.#samples++;
    this.#shares.set(category, (this.#shares.get(category) ?? 0) + 1);
    this.#stacks.set(key, (this.#stacks.get(key) ?? 0) + 1);
  }

  #indexOf(frame: SampledFrame): number {
    const mark = isKernel(frame) ? "_[k]" : isCompiledAtRunTime(frame) ? "_[j]" : "";
    const unknown = frame.symbol === "[unknown]" ? `[${frame.object.replace(/[[\]]/g, "")}]` : "";
    const name = `${unknown || frame.symbol}${mark}`;
    const known = this.#frames.get(name);
    if (known !== undefined) return known;
    const index = this.#frames.size;
    this.#frames.set(name, index);
    return index;
  }
}

/** Without folders, which are of this machine, and without what separates folded frames. */
function nameOf(symbol: string): string {
  return symbol
    .replace(/(?:file:\/\/)?(?:\/[^/\s:()]+)+\/(?=[^/\s]+)/g, "")
    .replaceAll(";", ":")
    .trim();
}

function basename(path: string): string {
  const deleted = " (deleted)";
  const whole = path.endsWith(deleted) ? path.slice(0, -deleted.length) : path;
  return whole.slice(whole.lastIndexOf("/") + 1);
}
