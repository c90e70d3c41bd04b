// The processes of a scene: listeners and a sender, which talk to us in JSON lines and cannot
// outlive us. Enters: a program and its settings. Leaves: their answers.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { packagePaths } from "../paths.ts";
import { accountsOf } from "./accounts.ts";

/** Counted in turns of a second: one that both were stopped for, however long, is one only. */
const ANSWER_TURNS = 30;
const TURN_MS = 1000;

export interface Launch {
  /** The one that it may use; null for all that we may. */
  readonly cpu?: number | null;
  /** Node's own, such as `--single-threaded`. */
  readonly flags?: readonly string[];
}

export class Peer {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #heard: unknown[] = [];
  #wake: () => void = () => {};
  #ended = false;

  /** @param program below dist, without its ending. */
  constructor(program: string, args: readonly string[], { cpu = null, flags = [] }: Launch = {}) {
    const { node, root, loadGenerator } = packagePaths();
    this.#name = program;
    const command = [node, ...flags, join(root, "dist", `${program}.js`), ...args];
    // It asks the kernel to be killed with us, then becomes the command, under the same pid.
    const pin = cpu === null ? [] : ["--cpu", `${cpu}`];
    const launch = ["launch", ...pin, "--parent", `${process.pid}`, "--", ...command];
    this.#child = spawn(loadGenerator, launch, {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdin?.on("error", () => {}); // it has ended, and hear() says so
    this.#child.once("error", () => this.#end());
    this.#child.once("exit", () => this.#end());
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    this.#lines.on("line", (line) => {
      this.#heard.push(JSON.parse(line));
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask(question: object): void {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
  }

  /**
   * What it says next. The programs are ours: their answers have the type that is expected.
   * @throws {Error} where it ends, or says nothing for 30 s.
   */
  async hear<T>(): Promise<T> {
    let turns = 0;
    const timer = setInterval(() => {
      if (++turns === ANSWER_TURNS) this.#end();
    }, TURN_MS);
    while (this.#heard.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearInterval(timer);
    if (this.#heard.length > 0) return this.#heard.shift() as T;
    throw new Error(`${this.#name} ${this.pid} ended, or does not answer`);
  }

  /** CPU time of all its threads until now, in ns; null where the system does not tell. */
  cpuNs(): number | null {
    return accountsOf(this.pid)?.cpuNs ?? null;
  }

  /** SIGTERM, and what it still says. */
  async stop<T>(): Promise<T[]> {
    const exited = once(this.#lines, "close");
    this.#child.kill("SIGTERM");
    await exited;
    return this.#heard.splice(0) as T[];
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.pid === 0) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}
