// The arbiter of a host: it starts a broadcaster and gateways as processes, restarts those that
// end, and ends all of them when it ends. It holds no client and no message, so it has little
// reason to fail.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { BroadcasterSettings } from "./broadcaster.ts";
import type { GatewaySettings } from "./gateway.ts";
import type { Limits } from "./member.ts";

export interface HostSettings {
  /** This host's among all. */
  readonly name: string;
  /** Where clients connect; port 0 for any. */
  readonly host: string;
  readonly port: number;
  readonly gateways: number;
  /** Where other broadcasters connect; port 0 for any. */
  readonly broadcastHost: string;
  readonly broadcastPort: number;
  readonly peers: readonly string[];
  readonly highWaterMark: number;
  readonly limits: Limits;
}

interface Worker {
  readonly kind: "broadcaster" | "gateway";
  readonly name: string;
  child: ChildProcess | null;
  ready: boolean;
  startedAtMs: number;
  /** Delay before it is started again; longer each time that it ends early. */
  againInMs: number;
  due: boolean;
  timer: NodeJS.Timeout | undefined;
}

const program = fileURLToPath(new URL("worker.js", import.meta.url));
const FIRST_AGAIN_MS = 100;
const LONGEST_AGAIN_MS = 5000;
const STOP_MS = 2000;

/** Runs a host's chat until the signal. */
export async function runHost(settings: HostSettings, stop: AbortSignal): Promise<void> {
  const arbiter = new Arbiter(settings);
  arbiter.startWhatCan();
  if (!stop.aborted) await once(stop, "abort");
  await arbiter.stop();
}

class Arbiter {
  readonly #settings: HostSettings;
  readonly #workers: Worker[];
  #port: number;
  #broadcastPort: number;
  #uplink = "tcp://127.0.0.1:*";
  #downlink: string | null = null;
  #stopping = false;
  #complete = false;

  constructor(settings: HostSettings) {
    this.#settings = settings;
    this.#port = settings.port;
    this.#broadcastPort = settings.broadcastPort;
    const { gateways } = settings;
    this.#workers = [
      newWorker("broadcaster", "broadcaster"),
      ...Array.from({ length: gateways }, (_, i) => newWorker("gateway", `gateway-${i}`)),
    ];
  }

  /** Starts each worker that is due and whose settings are known by now. */
  startWhatCan(): void {
    for (const worker of this.#workers) {
      const settings = worker.kind === "broadcaster" ? this.#broadcaster() : this.#gateway(worker);
      if (!worker.due || this.#stopping || settings === null) continue;
      worker.due = false;
      this.#start(worker, settings);
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { timer } of this.#workers) clearTimeout(timer);
    const running = this.#workers.flatMap(({ child }) => child ?? []);
    const ended = Promise.all(running.map((child) => once(child, "exit")));
    for (const child of running) child.kill("SIGTERM");
    await Promise.race([ended, delay(STOP_MS, undefined, { ref: false })]);
    for (const { child } of this.#workers) child?.kill("SIGKILL");
    await ended;
  }

  #broadcaster(): BroadcasterSettings {
    const { broadcastHost, peers, highWaterMark } = this.#settings;
    const uplink = this.#uplink; // the same address as before: gateways reconnect to it
    return { host: broadcastHost, port: this.#broadcastPort, uplink, peers, highWaterMark };
  }

  /** Null until it is known where the broadcaster listens, and which port the first gateway got. */
  #gateway(worker: Worker): GatewaySettings | null {
    const { host, name, highWaterMark, limits } = this.#settings;
    if (this.#downlink === null) return null;
    if (this.#port === 0 && worker !== this.#workers[1]) return null;
    return {
      name: `${name}/${worker.name}`,
      host,
      port: this.#port,
      uplink: this.#uplink,
      downlink: this.#downlink,
      highWaterMark,
      limits,
    };
  }

  #start(worker: Worker, settings: object): void {
    const args = [program, worker.kind, JSON.stringify(settings)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    worker.child = child;
    worker.startedAtMs = performance.now();
    child.stdin.on("error", () => {}); // nothing is written to it
    createInterface({ input: child.stdout }).on("line", (line) => this.#hear(worker, line));
    child.on("error", (error) => {
      console.error(`chat: ${worker.name}: ${error.message}`);
      if (child.pid === undefined) this.#ended(worker, null, null); // it has no "exit"
    });
    child.once("exit", (code, signal) => this.#ended(worker, code, signal));
    print({ event: "started", worker: worker.name, pid: child.pid });
  }

  #hear(worker: Worker, line: string): void {
    const event = JSON.parse(line);
    print({ ...event, event: `worker-${event.event}`, worker: worker.name });
    if (event.event !== "ready") return;
    worker.ready = true;
    if (worker.kind === "gateway") this.#port = event.port;
    else {
      this.#uplink = event.uplink;
      this.#downlink = event.downlink;
      this.#broadcastPort = Number(event.downlink.split(":").at(-1));
    }
    this.startWhatCan();
    if (this.#complete || this.#workers.some(({ ready }) => !ready)) return;
    this.#complete = true;
    const { pid } = process;
    print({ event: "ready", port: this.#port, broadcastPort: this.#broadcastPort, pid });
  }

  #ended(worker: Worker, code: number | null, signal: NodeJS.Signals | null): void {
    worker.child = null;
    if (this.#stopping) return;
    const old = performance.now() - worker.startedAtMs > LONGEST_AGAIN_MS;
    const againInMs = old ? FIRST_AGAIN_MS : worker.againInMs;
    worker.againInMs = Math.min(2 * againInMs, LONGEST_AGAIN_MS);
    print({ event: "ended", worker: worker.name, code, signal, againInMs });
    worker.timer = setTimeout(() => {
      worker.due = true;
      this.startWhatCan();
    }, againInMs);
  }
}

function newWorker(kind: Worker["kind"], name: string): Worker {
  const again = { againInMs: FIRST_AGAIN_MS, startedAtMs: 0, due: true, timer: undefined };
  return { kind, name, child: null, ready: false, ...again };
}

function print(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
