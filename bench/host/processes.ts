// Child processes that cannot outlive us: each is tracked from its start to its end, and killAll()
// ends the rest on whatever path we leave. Enters: argument vectors. Leaves: their lines, the tail
// of their stderr, and how they ended.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { within } from "./deadline.ts";

/** How a process ended: one of the three is set. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not even be started. */
  readonly error: string | null;
}

const stderrTailBytes = 4096;
/**
 * Longer than any line that we expect (a window with its two histograms), short enough to be kept.
 */
const longestLine = 4 * 1024 * 1024;
/**
 * Somebody else may hold the pipes of a process that has ended; we do not wait for them longer than
 * this.
 */
const pipesAfterExitMs = 500;

export class ChildProcesses {
  readonly #live = new Set<ChildProcess>();

  /**
   * Starts a process; its standard output arrives line by line. A failure to start shows as its
   * exit.
   */
  start(argv: readonly string[], onLine: (line: string) => void): ChildProcess {
    const child = new ChildProcess(argv, onLine);
    this.#live.add(child);
    void child.exited.then(() => this.#live.delete(child));
    return child;
  }

  /** SIGKILL to every one that lives. Synchronous: safe in an "exit" handler. */
  killAll(): void {
    for (const child of this.#live) child.kill("SIGKILL");
  }

  /** Resolves when none is left. Call killAll() first. */
  async allEnded(timeoutMs: number): Promise<void> {
    await within(Promise.all([...this.#live].map(({ exited }) => exited)), { timeoutMs });
  }
}

export class ChildProcess {
  /** Resolves once the process has ended and its output has been read. Never rejects. */
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcessByStdio<null, Readable, Readable>;
  #stderr = Buffer.alloc(0);

  constructor(argv: readonly string[], onLine: (line: string) => void) {
    const [command = "", ...args] = argv;
    this.#process = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    readLines(this.#process.stdout, onLine);
    this.#process.stderr.on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.from(Buffer.concat([this.#stderr, chunk]).subarray(-stderrTailBytes));
    });
    this.exited = this.#watchExit();
  }

  /** 0 where it could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /**
   * Whether it has ended; true from the moment that we know, which may be before `exited` resolves.
   */
  get ended(): boolean {
    return this.pid === 0 || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** The last of what it wrote to standard error, on one line; "" where it wrote nothing. */
  get stderrTail(): string {
    return oneLine(this.#stderr.toString("utf8"));
  }

  /** Does nothing to a process that has ended, whoever has its number now. */
  kill(signal: NodeJS.Signals): void {
    if (!this.ended) this.#process.kill(signal);
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
          child.stdout.destroy();
          child.stderr.destroy();
          resolve({ code, signal, error: null });
        };
        const timer = setTimeout(settle, pipesAfterExitMs);
        child.once("close", settle);
      });
    });
  }
}

/** Whether there is such a process, of whatever user. kill(2) */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** "exited with code 3", "was killed by SIGSEGV". */
export function describeExit({ code, signal, error }: Exit): string {
  if (error !== null) return `could not be started: ${error}`;
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    // Nobody that we understand writes such a line; keeping it would let a child fill our memory.
    if (rest.length > longestLine) rest = "";
    for (const line of lines) onLine(line);
  });
}

/** Control characters and escape sequences out: the text goes to terminals and reports. */
function oneLine(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(terminalSequences, "").trim())
    .filter((line) => line !== "")
    .join(" | ");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const terminalSequences = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u001f\u007f-\u009f]/g;
