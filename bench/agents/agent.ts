// One agent: the channel to another machine, its requests and answers, the processes that it runs
// for us, and its clock. The other half of native/load_generator/agent.h.

import { Channel, monotonicNs } from "../host/channel.ts";
import { deferred, within } from "../host/deadline.ts";
import type { Paths } from "../paths.ts";
import { bootstrap, bootstrapLine, endOf, HostError, type Installed } from "./bootstrap.ts";
import { HostClock } from "./clock.ts";
import { localName, reach } from "./destination.ts";
import { encodeFrame, FrameDecoder } from "./frames.ts";
import type { StoredFile } from "./programs.ts";
import { RemoteProcess } from "./remote-process.ts";

export { HostError };

/** What an agent says first. */
export interface Hello {
  readonly protocol: number;
  readonly pid: number;
  readonly system: string;
  readonly machine: string;
  readonly kernel: string;
  readonly cpus: number;
  readonly openFiles: number;
  readonly monotonicNs: number;
  /** The address at which ssh reached it; "" without ssh. */
  readonly address: string;
}

/** An event of an agent; `id` is that of the request or process it belongs to. */
interface AgentEvent {
  readonly event: string;
  readonly id?: number;
  readonly [field: string]: unknown;
}

/** The answer to what is asked when the agent is lost. */
const lostAnswer: AgentEvent = { event: "lost" };

interface AgentOptions {
  readonly paths: Paths;
  readonly sshConfig: string | null;
  /** What it stores in addition to its programs. */
  readonly files: readonly StoredFile[];
  readonly signal?: AbortSignal;
}

const protocol = 1;
const answerMs = 30_000;
/** Keeps an agent from taking us for dead, and shows a link or a host that has stopped. */
const heartbeatMs = 1_000;
const firstExchanges = 16;
/** An answer that takes longer is reported: the link or the host stood still. */
const stallMs = 1_000;

export class Agent {
  /** As the user named it. */
  readonly name: string;
  readonly clock = new HostClock();
  /** The longest that an exchange took, if that was longer than a second; otherwise 0. */
  longestStallMs = 0;
  readonly #channel: Channel;
  readonly #waiting = new Map<number, (event: AgentEvent) => void>();
  readonly #processes = new Map<number, RemoteProcess>();
  #installed: Installed | null = null;
  #hello: Hello | null = null;
  readonly #greeted = deferred<Hello>();
  readonly #lost = deferred<string>();
  #lostReason: string | null = null;
  #closed = false;
  #lastId = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #exchanging: Promise<void> | null = null;

  /**
   * Reaches the host, stores what it lacks, and sets the clocks.
   * @throws {HostError} whose message begins with the host's name.
   * @throws {Interrupted} when the signal aborts.
   */
  static async open(name: string, options: AgentOptions): Promise<Agent> {
    const agent = new Agent(name, options);
    try {
      await agent.#start(options);
      return agent;
    } catch (error) {
      agent.close();
      agent.kill();
      if (!(error instanceof HostError)) throw error;
      throw new HostError(error.reason, name);
    }
  }

  private constructor(name: string, options: AgentOptions) {
    this.name = name;
    const { paths } = options;
    this.#channel = new Channel(
      name === localName
        ? [paths.loadGenerator, "agent"]
        : reach(name, bootstrapLine, options.sshConfig),
    );
  }

  /** Resolves with the reason once the agent is gone; never if it was closed. */
  get lost(): Promise<string> {
    return this.#lost.promise;
  }

  get hello(): Hello {
    if (this.#hello === null) throw new Error(`${this.name} has not answered yet`);
    return this.#hello;
  }

  get installed(): Installed {
    if (this.#installed === null) throw new Error(`${this.name} has no programs yet`);
    return this.#installed;
  }

  /** An IPv4 address at which the host can be reached; null if ssh used another kind. */
  get address(): string | null {
    if (this.name === localName) return "127.0.0.1";
    return /^\d+(\.\d+){3}$/.test(this.hello.address) ? this.hello.address : null;
  }

  get #program(): string {
    return this.name === localName ? "the agent" : "ssh";
  }

  /** Asks, and waits for the answer. @throws {HostError} */
  async request(what: string, fields: object = {}): Promise<AgentEvent> {
    if (this.#lostReason !== null) throw new HostError(this.#lostReason, this.name);
    const id = ++this.#lastId;
    const answer = new Promise<AgentEvent>((resolve) => this.#waiting.set(id, resolve));
    this.#write({ do: what, id, ...fields });
    const first = await within(answer, { timeoutMs: answerMs });
    this.#waiting.delete(id);
    if (first !== null && first !== lostAnswer) return first;
    const why = this.#lostReason ?? `no answer to "${what}" within ${answerMs / 1000} s`;
    throw new HostError(why, this.name);
  }

  /** Starts a program there. Never throws: a failure is the exit of the process. */
  start(
    argv: readonly string[],
    onLine: (line: string) => void,
    supervises = false,
  ): RemoteProcess {
    const id = ++this.#lastId;
    const send = (message: object) => this.#write(message);
    const process = new RemoteProcess(id, { send, onLine, supervises });
    this.#processes.set(id, process);
    if (this.#lostReason === null) this.#write({ do: "start", id, argv });
    else process.lose(`${this.name}: ${this.#lostReason}`);
    void process.exited.then(() => this.#processes.delete(id));
    return process;
  }

  /** Sets the clock by one more exchange. @throws {HostError} */
  async exchange(): Promise<void> {
    const sentNs = monotonicNs();
    const { receivedAtNs, ...answer } = await this.request("clock");
    this.clock.add({
      sentNs,
      receivedNs: receivedAtNs as number,
      theirReceivedNs: Number(answer["receivedNs"]),
      theirSentNs: Number(answer["sentNs"]),
      theirBootNs: Number(answer["bootNs"]),
    });
    const tookMs = this.clock.lastRoundTripNs / 1e6;
    if (this.#heartbeat !== undefined && tookMs > stallMs) {
      this.longestStallMs = Math.max(this.longestStallMs, tookMs);
    }
  }

  killProcesses(): void {
    for (const process of this.#processes.values()) process.kill("SIGKILL");
  }

  async processesEnded(): Promise<void> {
    await Promise.all([...this.#processes.values()].map(({ exited }) => exited));
  }

  /** Ends the agent's input, and with it everything that it started. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    this.#channel.end();
  }

  /** Ends the channel without waiting for the other side, which may not be there. */
  kill(): void {
    this.#channel.kill();
  }

  /** Resolves when the channel has ended. Call close() first. */
  async ended(): Promise<void> {
    await this.#channel.exited;
  }

  async #start({ paths, files, signal }: AgentOptions): Promise<void> {
    const deadline = { timeoutMs: answerMs, signal };
    if (this.name === localName) {
      this.#installed = paths;
      this.#listen(Buffer.alloc(0));
    } else {
      const { installed, early } = await bootstrap(this.#channel, {
        ...{ paths, files },
        ...deadline,
      });
      this.#installed = installed;
      this.#listen(early);
    }
    const over = this.#channel.exited.then(() => null);
    const hello = await within(
      Promise.race([this.#greeted.promise, over]).then((first) => ({ first })),
      deadline,
    );
    if (hello === null) throw new HostError(`the agent did not answer within ${answerMs / 1000} s`);
    if (hello.first === null) throw new HostError(await endOf(this.#channel, this.#program));
    this.#hello = hello.first;
    if (this.#hello.protocol !== protocol) {
      throw new HostError(`the agent speaks protocol ${this.#hello.protocol}, not ${protocol}`);
    }
    for (let i = 0; i < firstExchanges; i++) await this.exchange();
  }

  /** From now on its clock is asked for regularly, and a silence is reported. */
  watch(): void {
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs);
    this.#heartbeat.unref();
  }

  #beat(): void {
    if (this.#exchanging !== null) return;
    this.#exchanging = this.exchange().then(
      () => {
        this.#exchanging = null;
      },
      (error: unknown) => {
        if (error instanceof HostError) this.#end(error.reason);
      },
    );
  }

  #listen(early: Buffer): void {
    const decoder = new FrameDecoder();
    const hear = (chunk: Buffer) => {
      const receivedAtNs = monotonicNs();
      try {
        for (const message of decoder.push(chunk)) {
          this.#hear({ receivedAtNs, ...(message as AgentEvent) });
        }
      } catch (error) {
        this.#end(`the stream is damaged: ${error instanceof Error ? error.message : error}`);
        this.#channel.kill();
      }
    };
    this.#channel.onBytes(hear);
    hear(early);
    void this.#channel.exited.then(async () =>
      this.#end(await endOf(this.#channel, this.#program)),
    );
  }

  #hear(event: AgentEvent): void {
    if (event.event === "hello") this.#greeted.resolve(event as unknown as Hello);
    const { id = 0 } = event;
    this.#processes.get(id)?.hear(event);
    this.#waiting.get(id)?.(event);
  }

  #write(message: object): void {
    if (this.#lostReason === null && !this.#closed) this.#channel.write(encodeFrame(message));
  }

  #end(reason: string): void {
    if (this.#lostReason !== null) return;
    clearInterval(this.#heartbeat);
    this.#lostReason = reason;
    for (const process of this.#processes.values()) process.lose(`${this.name}: ${reason}`);
    for (const resolve of this.#waiting.values()) resolve(lostAnswer);
    if (!this.#closed) this.#lost.resolve(reason);
  }
}
