// A process on this machine: its output as lines, the tail of its standard error, its end.

import { type ChildProcess as NodeProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import type { Exit, HostProcess, StartOptions } from "./host.ts";

const stderrTailBytes = 4096;
/** Longer than any expected line (a window with its histograms), short enough to be kept. */
const usualLongestLine = 4 * 1024 * 1024;
/** Another process may hold the pipes of one that has ended: they are waited for this long. */
const pipesAfterExitMs = 500;

export class ChildProcess implements HostProcess {
  readonly exited: Promise<Exit>;
  readonly #process: NodeProcess;
  readonly #supervised: boolean;
  #stderr = Buffer.alloc(0);

  constructor(argv: readonly string[], options: Omit<StartOptions, "launch">) {
    const { onLine, longestLine = usualLongestLine, input = false, supervised = false } = options;
    const [command = "", ...args] = argv;
    const stdin = input || supervised ? "pipe" : "ignore";
    this.#process = spawn(command, args, { stdio: [stdin, "pipe", "pipe"] });
    this.#supervised = supervised;
    const { stdout, stderr } = this.#process;
    this.#process.stdin?.on("error", () => {}); // it has ended, which `exited` reports
    if (stdout !== null) readLines(stdout, longestLine, onLine);
    stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.from(Buffer.concat([this.#stderr, chunk]).subarray(-stderrTailBytes));
    });
    this.exited = this.#watchExit();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get ended(): boolean {
    return this.pid === 0 || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  get stderrTail(): string {
    return oneLine(this.#stderr.toString("utf8"));
  }

  send(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** SIGKILL to a supervisor would spare what it supervises. */
  kill(signal: NodeJS.Signals): void {
    if (this.#supervised && signal === "SIGKILL") this.#process.stdin?.destroy();
    else if (!this.ended) this.#process.kill(signal);
  }

  #watchExit(): Promise<Exit> {
    return new Promise((resolve) => {
      const child = this.#process;
      child.on("error", (error: Error) => {
        if (this.pid === 0) resolve({ code: null, signal: null, error: error.message });
      });
      child.once("exit", (code, signal) => {
        const settle = () => {
          clearTimeout(timer);
          child.stdout?.destroy();
          child.stderr?.destroy();
          resolve({ code, signal, error: null });
        };
        const timer = setTimeout(settle, pipesAfterExitMs);
        child.once("close", settle);
      });
    });
  }
}

/** Whether such a process runs, of whatever user; a zombie does not. kill(2), proc_pid_stat(5) */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return !isZombie(pid);
}

/** Only its parent has yet to hear of its end. Without /proc nothing is known of it. */
function isZombie(pid: number): boolean {
  try {
    // The state follows the command's name, which may hold anything.
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Calls `onLine` with "" for a line above `longest`: a child must not fill our memory. */
function readLines(stream: Readable, longest: number, onLine: (line: string) => void): void {
  let parts: string[] = [];
  let length = 0;
  const keep = (part: string) => {
    length += part.length;
    if (length <= longest) parts.push(part);
    else parts = [];
  };
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const [first = "", ...more] = chunk.split("\n");
    keep(first);
    for (const next of more) {
      onLine(parts.join(""));
      parts = [];
      length = 0;
      keep(next);
    }
  });
}

/** Control characters and escape sequences out: the text goes to terminals and reports. */
export function oneLine(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(terminalSequences, "").trim())
    .filter((line) => line !== "")
    .join(" | ");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const terminalSequences = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u001f\u007f-\u009f]/g;
