// A program as a pair of byte streams, which says why it ended: what ssh is to the suite.

import { type ChildProcess as NodeProcess, spawn } from "node:child_process";
import type { Exit } from "./host.ts";
import { oneLine } from "./processes.ts";

const stderrTailBytes = 4096;

export class Channel {
  readonly exited: Promise<Exit>;
  readonly #process: NodeProcess;
  #stderr = Buffer.alloc(0);
  #hear: (chunk: Buffer) => void = () => {};

  constructor(argv: readonly string[]) {
    const [command = "", ...args] = argv;
    // In its own session: Ctrl-C must not kill it before its owner has tidied up.
    this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
    const { stdin, stdout, stderr } = this.#process;
    stdin?.on("error", () => {}); // it has ended, which `exited` reports
    stdout?.on("data", (chunk: Buffer) => this.#hear(chunk));
    stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.from(Buffer.concat([this.#stderr, chunk]).subarray(-stderrTailBytes));
    });
    this.exited = new Promise((resolve) => {
      this.#process.on("error", ({ message }: Error) => {
        resolve({ code: null, signal: null, error: message });
      });
      this.#process.once("close", (code, signal) => resolve({ code, signal, error: null }));
    });
  }

  /** What receives the bytes from now on. */
  onBytes(hear: (chunk: Buffer) => void): void {
    this.#hear = hear;
  }

  write(bytes: Buffer | string): void {
    this.#process.stdin?.write(bytes);
  }

  /** The end of its input, after what was written before. */
  end(): void {
    this.#process.stdin?.end();
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  get stderrTail(): string {
    return oneLine(this.#stderr.toString("utf8"));
  }
}

/** This machine's CLOCK_MONOTONIC, nanoseconds. */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint());
}
