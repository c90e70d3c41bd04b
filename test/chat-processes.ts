// The chat's programs as processes, and clients that talk to them over plain sockets. Kills the
// processes that are left.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

// biome-ignore lint/suspicious/noExplicitAny: what a program says, looked at by the test.
export type Said = any;

const LONGEST_WAIT_MS = 60_000;

/** Asks again and again until it gets something. @throws {Error} with `what` after a minute. */
export async function eventually<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  what: () => string,
): Promise<T> {
  const until = Date.now() + LONGEST_WAIT_MS;
  while (Date.now() < until) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await delay(10);
  }
  throw new Error(`not in ${LONGEST_WAIT_MS / 1000} s: ${what()}`);
}

export class Program {
  static readonly #running = new Set<Program>();
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  /** All of standard output, and of standard error. */
  output = "";
  errors = "";

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    Program.#running.add(this);
    this.#ended = once(this.child, "close").finally(() => Program.#running.delete(this));
    this.child.stdout?.on("data", (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.errors += chunk.toString();
    });
    this.child.stdin?.on("error", () => {});
  }

  /** An example by its name, with its options. */
  static example(name: string, ...args: readonly string[]): Program {
    return new Program(process.execPath, [join("dist", "examples", `${name}.js`), ...args]);
  }

  static async killAll(): Promise<void> {
    const running = [...Program.#running];
    for (const { child } of running) child.kill("SIGKILL");
    await Promise.all(running.map((program) => program.#ended));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The JSON lines that it has printed. */
  events(): Said[] {
    const lines = this.output.split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** Waits for a JSON line of that kind. */
  async event(kind: string, fits: (event: Said) => boolean = () => true): Promise<Said> {
    return eventually(
      () => {
        const found = this.events().find((event) => event.event === kind && fits(event));
        if (found !== undefined || this.child.exitCode === null) return found;
        throw new Error(`ended without event ${kind}: ${this.output}${this.errors}`);
      },
      () => `event ${kind}; but: ${this.output}${this.errors}`,
    );
  }

  /** Waits until its output, or its standard error, has that. */
  async said(pattern: RegExp): Promise<void> {
    await eventually(
      () => pattern.test(this.output) || pattern.test(this.errors),
      () => `${pattern}; but: ${this.output}${this.errors}`,
    );
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<unknown> {
    this.child.kill(signal);
    return this.ended();
  }

  /** Its exit code, or the signal that ended it. */
  async ended(): Promise<unknown> {
    const [code, signal] = await this.#ended;
    return code ?? signal;
  }
}

/** A client of its own: lines as objects, both ways. */
export class Client {
  static readonly #open = new Set<Client>();
  readonly socket: Socket;
  readonly heard: Said[] = [];
  closed = false;
  #rest = "";

  private constructor(socket: Socket) {
    this.socket = socket;
    Client.#open.add(this);
    socket.setNoDelay(true);
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      const lines = (this.#rest + chunk).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.heard.push(JSON.parse(line));
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      Client.#open.delete(this);
    });
  }

  static async open(port: number, host = "127.0.0.1"): Promise<Client> {
    const socket = connect(port, host);
    await once(socket, "connect");
    return new Client(socket);
  }

  static closeAll(): void {
    for (const { socket } of Client.#open) socket.destroy();
  }

  say(message: object | string): void {
    this.socket.write(`${typeof message === "string" ? message : JSON.stringify(message)}\n`);
  }

  /** Waits for something that fits, perhaps heard before. */
  async hears(fits: (said: Said) => boolean): Promise<Said> {
    return eventually(
      () => this.heard.find(fits),
      () => `heard; but: ${JSON.stringify(this.heard.slice(-20))}`,
    );
  }

  /** Says something to itself by way of the server: all that was under way before has come. */
  async settled(user: string): Promise<void> {
    const text = `settled ${Math.random()}`;
    this.say({ user, text });
    await this.hears((said) => said.text === text);
  }
}
