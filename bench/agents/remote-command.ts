// A user's server on the server's machine: the command is started with a free port, and the
// ready line is printed once something listens there. It does what announce.js does with Node.

import { setTimeout as delay } from "node:timers/promises";
import type { Exit, HostProcess } from "../host/host.ts";
import { listensOn } from "../host/listening.ts";
import { childrenOf } from "../host/usage.ts";
import type { Agent } from "./agent.ts";
import { HostError } from "./bootstrap.ts";
import { withRemoteFiles } from "./remote-files.ts";
import { RemoteEnd, type RemoteProcess } from "./remote-process.ts";

interface CommandOptions {
  /** `{port}` and `{host}` are replaced. */
  readonly command: string;
  readonly address: string;
  /** How long it may take to listen. */
  readonly readySeconds: number;
  /** What raises limits and pins, before the command. */
  readonly prefix: readonly string[];
  readonly onLine: (line: string) => void;
}

const askAgainMs = 50;
/** The announcer exits in the same way. */
const notReady: Exit = { code: 1, signal: null, error: null };
/** Below the usual range of ports that the kernel gives away by itself, and above most servers. */
const [firstPort, ports] = [20_000, 10_000];

export class RemoteCommand extends RemoteEnd implements HostProcess {
  readonly #agent: Agent;
  readonly #options: CommandOptions;
  #process: RemoteProcess | null = null;
  #killed: NodeJS.Signals | null = null;
  #problem = "";

  constructor(agent: Agent, options: CommandOptions) {
    super();
    this.#agent = agent;
    this.#options = options;
    void this.#run().catch((error: unknown) => {
      const reason = error instanceof HostError ? error.message : String(error);
      this.end({ code: null, signal: null, error: reason });
    });
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get stderrTail(): string {
    return [this.#process?.stderrTail ?? "", this.#problem].filter(Boolean).join(" | ");
  }

  send(line: string): void {
    this.#process?.send(line);
  }

  kill(signal: NodeJS.Signals): void {
    this.#killed = signal;
    this.#process?.kill(signal);
  }

  async #run(): Promise<void> {
    const port = await this.#freePort();
    const { command, address, readySeconds, prefix } = this.#options;
    const words = command.replaceAll("{port}", String(port)).replaceAll("{host}", address);
    const { loadGenerator } = this.#agent.installed;
    const argv = [...prefix, loadGenerator, "supervise", "--", "/bin/sh", "-c", words];
    if (this.#killed !== null) return this.end({ code: null, signal: "SIGKILL", error: null });
    const process = this.#agent.start(argv, () => {}, true);
    this.#process = process;
    void process.exited.then((exit) => this.end(this.#problem === "" ? exit : notReady));
    const deadline = performance.now() + 1000 * readySeconds;
    let ready = false;
    // The last look is after the deadline.
    for (let looked = 0; !this.ended && !ready && looked < deadline; ) {
      looked = performance.now();
      ready = await this.#look((read) => listensOn(read, port));
      if (!ready) await delay(askAgainMs);
    }
    if (this.ended) return;
    if (!ready) {
      const where = `${address}:${port}`;
      this.#problem = `nothing listens on ${where} after ${readySeconds} s (--ready-within)`;
      return process.kill("SIGKILL");
    }
    const [only, ...others] = await this.#look((read) =>
      childrenOf(process.pid, String(process.pid), read),
    );
    const pid = only !== undefined && others.length === 0 ? only : process.pid;
    this.#options.onLine(JSON.stringify({ event: "ready", port, pid }));
  }

  async #freePort(): Promise<number> {
    for (;;) {
      const port = firstPort + Math.floor(Math.random() * ports);
      if (!(await this.#look((read) => listensOn(read, port)))) return port;
    }
  }

  #look<T>(look: (read: (path: string) => string | null) => T): Promise<T> {
    return withRemoteFiles(this.#agent, ({ read }) => look(read));
  }
}
