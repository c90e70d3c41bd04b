// A server under test: a contender's own process, whose descriptors and memory are sampled.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { countDescriptors, countThreads, memoryKiB } from "../lifetimes/resources.ts";

const SETTLE_MS = 2000;
const FIRST_SETTLE_MS = 200;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export class SoakServer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #descriptors: number | null = null;
  port = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error("a server needs its standard output piped");
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  /** @param name as `ts:reactor-epoll` or `cpp:reactor-epoll`. */
  static async start(name: string): Promise<SoakServer> {
    const [runtime = "", strategy = ""] = name.split(":");
    const [command, args] =
      runtime === "ts"
        ? [process.execPath, ["--expose-gc", "--import", here("reporter.mjs"), here(SERVE), name]]
        : [here("../../build/Release/echo-server"), ["--strategy", strategy]];
    const server = new SoakServer(
      spawn(command, args, {
        stdio: ["ignore", "pipe", "inherit", ...(runtime === "ts" ? ["ipc" as const] : [])],
      }),
    );
    server.port = Number((await server.#line())["port"]);
    return server;
  }

  /** What it holds, once it has closed its side of every connection, or two seconds later. */
  async sample(): Promise<Record<string, number | null>> {
    await this.#settle();
    const heap = await this.#heapKiB();
    return {
      descriptors: countDescriptors(this.#pid),
      threads: countThreads(this.#pid),
      "memory in KiB": memoryKiB(this.#pid),
      "heap in KiB": heap,
    };
  }

  /** Ends it. @returns its counters. */
  async stop(): Promise<Record<string, unknown>> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const counters = await this.#line();
    const [code, signal] = await exited;
    if (code !== 0) throw new Error(`the server ended with ${signal ?? `exit code ${code}`}`);
    return counters;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  get #pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Until it has as few descriptors open as at the first time. */
  async #settle(): Promise<void> {
    const first = this.#descriptors === null;
    const deadlineMs = performance.now() + (first ? FIRST_SETTLE_MS : SETTLE_MS);
    while (performance.now() < deadlineMs) {
      if (!first && countDescriptors(this.#pid) === this.#descriptors) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#descriptors ??= countDescriptors(this.#pid);
  }

  async #line(): Promise<Record<string, unknown>> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("the server ended without a word");
    return JSON.parse(value) as Record<string, unknown>;
  }

  async #heapKiB(): Promise<number | null> {
    if (!this.#child.connected) return null;
    const answer = once(this.#child, "message");
    this.#child.send("sample");
    return Number((await answer)[0]);
  }
}

const SERVE = "../../dist/bench/contenders/serve.js";
