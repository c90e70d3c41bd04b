// Chat hosts for tests: arbiters with their workers, in network namespaces or on loopback.

import { spawnSync } from "node:child_process";
import { connect, createServer } from "node:net";
import { isAlive } from "../bench/host/processes.ts";
import { eventually, Program } from "./chat-processes.ts";

export interface Host {
  readonly name: string;
  readonly program: Program;
  readonly port: number;
}

export interface HostOptions {
  readonly name: string;
  readonly gateways: number;
  readonly broadcastPort: number;
  readonly peers: readonly string[];
  readonly broadcastHost?: string;
  /** A command before it, such as `ip netns exec …`. */
  readonly inside?: readonly string[];
  readonly more?: readonly string[];
}

export function startHost(options: HostOptions): Program {
  const { name, gateways, broadcastPort, peers, inside = [], more = [] } = options;
  const [command = "", ...args] = [
    ...inside,
    process.execPath,
    "dist/examples/chat-server.js",
    ...["--workers", `${gateways}`, "--name", name, "--broadcast-port", `${broadcastPort}`],
    ...["--broadcast-host", options.broadcastHost ?? "127.0.0.1"],
    ...peers.flatMap((peer) => ["--peer", peer]),
    ...more,
  ];
  return new Program(command, args);
}

/** Waits until every gateway of every host has heard of every other. */
export async function untilConnected(hosts: readonly Program[], gateways: number): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      await host.event("ready");
      await eventually(
        () => {
          const heard = host.events().filter(({ event }) => event === "worker-heard");
          return new Set(heard.map(({ worker, origin }) => `${worker} ${origin}`)).size >= gateways;
        },
        () => `heard of all: ${host.output}`,
      );
    }),
  );
}

/** The newest process of a worker. */
export function pidOf(host: Program, worker: string): number {
  const started = host.events().filter((event) => event.event === "started");
  const newest = started.findLast((event) => event.worker === worker);
  if (newest === undefined) throw new Error(`no ${worker} was started: ${host.output}`);
  return newest.pid;
}

/** All that a host ever started, and itself. */
export function pidsOf(host: Program): number[] {
  const started = host.events().filter((event) => event.event === "started");
  return [host.pid, ...started.map(({ pid }) => pid)];
}

export async function untilGone(pids: readonly number[]): Promise<void> {
  await eventually(
    () => pids.every((pid) => !isAlive(pid)),
    () => `gone: ${pids.filter(isAlive)}`,
  );
}

/** Ports of loopback that are free at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Whether a server listens there. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** Three namespaces on a bridge in a fourth; null if that is not permitted. */
export class Namespaces {
  readonly names: readonly string[];
  readonly #switch: string;

  private constructor(count: number) {
    this.#switch = `iosel-${process.pid}-s`;
    this.names = Array.from({ length: count }, (_, i) => `iosel-${process.pid}-${i}`);
  }

  static create(count: number): Namespaces | null {
    const spaces = new Namespaces(count);
    const made = spaces.#make();
    if (!made) spaces.remove();
    return made ? spaces : null;
  }

  address(index: number): string {
    return `10.77.0.${index + 1}`;
  }

  inside(index: number): string[] {
    return ["ip", "netns", "exec", this.names[index] ?? ""];
  }

  remove(): void {
    for (const name of [...this.names, this.#switch]) ip("netns", "del", name);
  }

  #make(): boolean {
    const on = this.#switch;
    const bridge = [
      ["netns", "add", on],
      ["-n", on, "link", "add", "br0", "type", "bridge"],
      ["-n", on, "link", "set", "br0", "up"],
    ];
    const hosts = this.names.flatMap((name, i) => [
      ["netns", "add", name],
      ["-n", name, "link", "set", "lo", "up"],
      ["-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", `port${i}`, "netns", on],
      ["-n", on, "link", "set", `port${i}`, "master", "br0", "up"],
      ["-n", name, "addr", "add", `${this.address(i)}/24`, "dev", "eth0"],
      ["-n", name, "link", "set", "eth0", "up"],
    ]);
    return [...bridge, ...hosts].every((command) => ip(...command));
  }
}

function ip(...args: string[]): boolean {
  return spawnSync("ip", args, { stdio: "ignore", timeout: 10_000 }).status === 0;
}
