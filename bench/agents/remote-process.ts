// A process that an agent runs for us, as a process of a Host.

import { deferred } from "../host/deadline.ts";
import type { Exit, HostProcess } from "../host/host.ts";
import { oneLine } from "../host/processes.ts";

const stderrTailCharacters = 4096;

interface RemoteOptions {
  readonly send: (message: object) => void;
  readonly onLine: (line: string) => void;
  /** Whether it is a supervisor: SIGKILL would spare what it supervises. */
  readonly supervises: boolean;
}

interface ProcessEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The end of a process elsewhere, which comes once. */
export class RemoteEnd {
  readonly #exit = deferred<Exit>();
  #ended = false;

  get exited(): Promise<Exit> {
    return this.#exit.promise;
  }

  get ended(): boolean {
    return this.#ended;
  }

  protected end(exit: Exit): void {
    this.#ended = true;
    this.#exit.resolve(exit);
  }
}

export class RemoteProcess extends RemoteEnd implements HostProcess {
  readonly #id: number;
  readonly #options: RemoteOptions;
  #pid = 0;
  #stderr = "";

  constructor(id: number, options: RemoteOptions) {
    super();
    this.#id = id;
    this.#options = options;
  }

  get pid(): number {
    return this.#pid;
  }

  get stderrTail(): string {
    return oneLine(this.#stderr);
  }

  send(line: string): void {
    this.#options.send({ do: "input", id: this.#id, text: `${line}\n` });
  }

  kill(signal: NodeJS.Signals): void {
    if (this.ended) return;
    const { send, supervises } = this.#options;
    const id = this.#id;
    if (supervises && signal === "SIGKILL") send({ do: "close", id });
    else send({ do: "signal", id, name: signal });
  }

  /** Called by the agent for each event of this process. */
  hear(event: ProcessEvent): void {
    if (event.event === "started") this.#pid = Number(event["pid"]);
    if (event.event === "line") this.#options.onLine(String(event["text"]));
    if (event.event === "errors") {
      this.#stderr = (this.#stderr + String(event["text"])).slice(-stderrTailCharacters);
    }
    if (event.event === "exit") {
      const { code, signal, error } = event as unknown as Exit;
      this.end({ code, signal, error });
    }
  }

  /** The agent is gone, and the process with it. */
  lose(reason: string): void {
    this.end({ code: null, signal: null, error: null, lost: reason });
  }
}
