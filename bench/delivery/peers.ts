// The processes of a scene, which exchange JSON lines with this one and cannot outlive it.

import { join } from "node:path";
import { describeEnd, type HostProcess } from "../host/host.ts";
import { LocalHost } from "../host/local.ts";
import { accountsOf } from "../host/usage.ts";

/** Counted in turns of a second: one that both were stopped for, however long, is one only. */
const ANSWER_TURNS = 30;
const TURN_MS = 1000;
/** A list of all that was measured is a line: some minutes' worth of 20,000 per second. */
const longestLine = 256 * 1024 * 1024;

const host = new LocalHost();

interface Launch {
  /** The one that it may use; null for all that we may. */
  readonly cpu?: number | null;
  /** Node's own, such as `--single-threaded`. */
  readonly flags?: readonly string[];
}

export class Peer {
  readonly #name: string;
  readonly #process: HostProcess;
  readonly #heard: unknown[] = [];
  #wake: () => void = () => {};
  #over = false;
  #tooLong = false;

  /** @param program below dist, without its ending. */
  constructor(program: string, args: readonly string[], { cpu = null, flags = [] }: Launch = {}) {
    const { node, root } = host.paths;
    this.#name = program;
    const command = [node, ...flags, join(root, "dist", `${program}.js`), ...args];
    this.#process = host.start(command, {
      launch: { cpu },
      input: true,
      longestLine,
      onLine: (line) => {
        if (line === "") {
          this.#tooLong = true;
          return this.#end();
        }
        this.#heard.push(JSON.parse(line));
        this.#wake();
      },
    });
    void this.#process.exited.then(() => this.#end());
  }

  get pid(): number {
    return this.#process.pid;
  }

  ask(question: object): void {
    this.#process.send(JSON.stringify(question));
  }

  /**
   * Its next answer, of our own programs' types.
   * @param busyMs what it was asked to do takes so long.
   * @throws {Error} at its end, or 30 s after that.
   */
  async hear<T>(busyMs = 0): Promise<T> {
    let turns = -Math.ceil(busyMs / TURN_MS);
    const timer = setInterval(() => {
      if (++turns === ANSWER_TURNS) this.#end();
    }, TURN_MS);
    while (this.#heard.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearInterval(timer);
    if (this.#heard.length > 0) return this.#heard.shift() as T;
    if (this.#tooLong) {
      const mebi = longestLine / 2 ** 20;
      throw new Error(
        `${this.#name}: its answer exceeds ${mebi} Mi characters; shorten --duration`,
      );
    }
    const end = `${this.#name} ${this.pid} ended, or does not answer`;
    throw new Error(describeEnd(this.#process, end));
  }

  /** CPU time of all its threads until now, in ns; null if the system does not account it. */
  cpuNs(): number | null {
    return accountsOf(this.pid)?.cpuNs ?? null;
  }

  /** SIGTERM, and what it still answers. */
  async stop<T>(): Promise<T[]> {
    this.#process.kill("SIGTERM");
    await this.#process.exited;
    return this.#heard.splice(0) as T[];
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  #end(): void {
    this.#over = true;
    this.#wake();
  }
}
