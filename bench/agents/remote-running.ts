// A server that runs already on the server's machine: it is looked at, announced, and never
// signalled.

import type { Exit, HostProcess } from "../host/host.ts";
import { listensOn } from "../host/listening.ts";
import type { Agent } from "./agent.ts";
import { HostError } from "./bootstrap.ts";
import { withRemoteFiles } from "./remote-files.ts";

interface RunningOptions {
  readonly port: number;
  readonly pid: number;
  readonly onLine: (line: string) => void;
}

export class RemoteRunning implements HostProcess {
  readonly exited: Promise<Exit>;
  readonly pid: number;
  #resolve: (exit: Exit) => void = () => {};
  #ended = false;
  #problem = "";

  constructor(agent: Agent, options: RunningOptions) {
    this.pid = options.pid;
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    void this.#announce(agent, options).catch((error: unknown) => {
      this.#fail(error instanceof HostError ? error.message : String(error));
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  get stderrTail(): string {
    return this.#problem;
  }

  send(): void {}

  /** It was not started here: only the measuring ends. */
  kill(): void {
    this.#end(0);
  }

  async #announce(agent: Agent, { port, pid, onLine }: RunningOptions): Promise<void> {
    const alive = await agent.request("alive", { pid });
    if (alive["alive"] !== true) return this.#fail(`there is no process ${pid} on ${agent.name}`);
    const listens = await withRemoteFiles(agent, ({ read }) => listensOn(read, port));
    if (!listens) return this.#fail(`nothing listens on port ${port} of ${agent.name}`);
    onLine(JSON.stringify({ event: "ready", port, pid }));
  }

  #fail(problem: string): void {
    this.#problem = problem;
    this.#end(1);
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#resolve({ code, signal: null, error: null });
  }
}
