// A running server on the server's machine: it is looked at and announced, never signalled.

import type { HostProcess } from "../host/host.ts";
import { listensOn } from "../host/listening.ts";
import type { Agent } from "./agent.ts";
import { HostError } from "./bootstrap.ts";
import { withRemoteFiles } from "./remote-files.ts";
import { RemoteEnd } from "./remote-process.ts";

interface RunningOptions {
  readonly port: number;
  readonly pid: number;
  readonly onLine: (line: string) => void;
}

export class RemoteRunning extends RemoteEnd implements HostProcess {
  readonly pid: number;
  #problem = "";

  constructor(agent: Agent, options: RunningOptions) {
    super();
    this.pid = options.pid;
    void this.#announce(agent, options).catch((error: unknown) => {
      this.#fail(error instanceof HostError ? error.message : String(error));
    });
  }

  get stderrTail(): string {
    return this.#problem;
  }

  send(): void {}

  /** It was not started here: it gets no signal, and those that end a server end the measuring. */
  kill(signal: NodeJS.Signals): void {
    if (signal !== "SIGTERM" && signal !== "SIGKILL") return;
    this.end({ code: 0, signal: null, error: null });
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
    this.end({ code: 1, signal: null, error: null });
  }
}
