// Hosts to reach by ssh, on this machine: a real sshd each, with keys made here, in a network
// namespace of its own where root may make one, on a port of 127.0.0.1 otherwise.

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const sshd = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].find((path) => existsSync(path));
const isRoot = process.getuid?.() === 0;

/** Why there can be no such hosts here; null if there can. */
export function whyNoHosts(): string | null {
  if (process.platform !== "linux") return "Linux only";
  if (sshd === undefined) return "openssh-server is not installed";
  if (spawnSync("ssh", ["-V"]).status !== 0) return "ssh is not installed";
  return null;
}

/** Why there can be no network namespaces here; null if there can. */
export function whyNoNamespaces(): string | null {
  if (whyNoHosts() !== null) return whyNoHosts();
  if (!isRoot) return "network namespaces need root";
  if (process.env["NO_NAMESPACES"] !== undefined) return "NO_NAMESPACES is set";
  const name = `iosel-probe-${process.pid}`;
  if (spawnSync("ip", ["netns", "add", name]).status !== 0) return "ip netns add is refused";
  spawnSync("ip", ["netns", "del", name]);
  return null;
}

/** Why a link can have no delay here; null if it can. */
export function whyNoDelay(): string | null {
  const no = whyNoNamespaces();
  if (no !== null || hasNetem()) return no;
  if (!existsSync("/dev/net/tun")) return "this kernel has neither sch_netem nor /dev/net/tun";
  return spawnSync("python3", ["-V"]).status === 0 ? null : "no sch_netem, and no python3";
}

/** Whether the kernel has sch_netem. tc-netem(8) */
function hasNetem(): boolean {
  const name = `iosel-probe-${process.pid}`;
  spawnSync("ip", ["netns", "add", name]);
  const inside = ["netns", "exec", name];
  const tried = spawnSync("ip", [...inside, "tc", "qdisc", "add", "dev", "lo", "root", "netem"]);
  spawnSync("ip", ["netns", "del", name]);
  return tried.status === 0;
}

/** Why such a host cannot be logged in to here, found out by trying; null if it can. */
export async function whyNoLogin(): Promise<string | null> {
  const no = whyNoHosts();
  if (no !== null) return no;
  const hosts = new SshHosts(whyNoNamespaces() === null);
  try {
    await hosts.add({ name: "probe" });
    const args = ["-F", hosts.config, "-o", "BatchMode=yes", "probe", "true"];
    const tried = spawnSync("ssh", args, { encoding: "utf8", timeout: 20_000 });
    return tried.status === 0 ? null : `no login here: ${tried.stderr.trim()}`;
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error);
  } finally {
    await hosts.close();
  }
}

export interface SshHost {
  /** As it is named to ssh. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly namespace: string | null;
  readonly sshd: ChildProcess;
}

export interface HostOptions {
  readonly name: string;
  /** The host's clock is ahead by so many seconds: a time namespace, which needs root. */
  readonly aheadSeconds?: number;
  /** Variables of everything that runs there. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The hosts of one test file. */
export class SshHosts {
  readonly folder = mkdtempSync(join(tmpdir(), "ssh-hosts-"));
  readonly config = join(this.folder, "config");
  readonly cache = join(this.folder, "cache");
  readonly hosts = new Map<string, SshHost>();
  readonly #namespaced: boolean;
  readonly #tag = (process.pid % 46_656).toString(36);
  readonly #subnet = `10.231.${process.pid % 250}`;
  readonly #links: string[] = [];
  #relay: ChildProcess | null = null;

  constructor(namespaced: boolean) {
    this.#namespaced = namespaced;
    for (const name of ["user", "host", "stranger"]) {
      const file = join(this.folder, name);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    }
    const known = readFileSync(join(this.folder, "user.pub"), "utf8");
    writeFileSync(join(this.folder, "authorized"), known, { mode: 0o600 });
    if (isRoot) mkdirSync("/run/sshd", { recursive: true });
    if (namespaced) this.#makeHub();
  }

  async add({ name, aheadSeconds = 0, environment = {} }: HostOptions): Promise<SshHost> {
    const index = this.hosts.size + 2;
    const namespace = this.#namespaced ? `iosel-${this.#tag}-${name}` : null;
    const address = namespace === null ? "127.0.0.1" : `${this.#subnet}.${index}`;
    const port = namespace === null ? await freePort() : 2222;
    if (namespace !== null) this.#makeNamespace(namespace, address, index);
    const inside = namespace === null ? [] : ["ip", "netns", "exec", namespace];
    const ahead =
      aheadSeconds === 0
        ? []
        : ["unshare", "--time", "--monotonic", String(aheadSeconds), "--fork", "--kill-child"];
    const file = join(this.folder, `sshd-${name}`);
    writeFileSync(file, this.#sshdConfig(address, port, environment));
    const [command = "", ...args] = [...inside, ...ahead, sshd ?? "", "-D", "-e", "-f", file];
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    await listening(child);
    const host: SshHost = { name, address, port, namespace, sshd: child };
    this.hosts.set(name, host);
    const key = readFileSync(join(this.folder, "host.pub"), "utf8");
    writeFileSync(join(this.folder, "known"), `[${address}]:${port} ${key}`, { flag: "a" });
    const lines = [
      `Host ${name}`,
      `  HostName ${address}`,
      `  Port ${port}`,
      `  IdentityFile ${join(this.folder, "user")}`,
    ];
    // The last block is for every host: ssh takes the first value that it finds.
    const blocks = existsSync(this.config) ? readFileSync(this.config, "utf8") : this.#common();
    writeFileSync(this.config, `${lines.join("\n")}\n${blocks}`);
    return host;
  }

  /** Where the hosts reach this machine. */
  get ownAddress(): string {
    return this.#namespaced ? `${this.#subnet}.1` : "127.0.0.1";
  }

  /** Delays what leaves each host, and loses a share of it: tc-netem(8), or a program's TAPs. */
  async delay({ us, loss }: { readonly us: number; readonly loss: number }): Promise<void> {
    if (!hasNetem()) return await this.#replaceLinks(us, loss);
    const words = ["delay", `${us}us`, "loss", `${100 * loss}%`];
    for (const { namespace } of this.hosts.values()) {
      if (namespace === null) continue;
      inNamespace(namespace, "tc", ["qdisc", "add", "dev", "eth0", "root", "netem", ...words]);
    }
  }

  /** Each host's link becomes one that a program delays; addresses and sockets stay. */
  async #replaceLinks(us: number, loss: number): Promise<void> {
    const seed = 1;
    const hosts = [...this.hosts.values()].map((host, index) => ({
      ...host,
      inside: `ios${this.#tag}h${index}`,
      outside: `ios${this.#tag}n${index}`,
    }));
    const pairs = hosts.map(({ inside, outside }) => `${inside}:${outside}`);
    const program = fileURLToPath(new URL("programs/delayed-links.py", import.meta.url));
    const args = [program, us, loss, seed, ...pairs].map(String);
    const child = spawn("python3", args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#relay = child;
    const ended = once(child, "exit").then(([code]) => `ended with ${code ?? "a signal"}`);
    const problem = await Promise.race([once(child.stdout, "data").then(() => null), ended]);
    if (problem !== null) throw new Error(`${program} ${problem} before its links were there`);
    for (const { namespace, address, inside, outside } of hosts) {
      if (namespace === null) continue;
      inNamespace(namespace, "ip", ["link", "del", "eth0"]);
      ip("link", "set", inside, "netns", namespace, "name", "eth0");
      ip("link", "set", outside, "master", `ios${this.#tag}`, "up");
      plugIn(namespace, address);
    }
  }

  /** Takes the link of a host down or up. */
  link(name: string, state: "up" | "down"): void {
    const { namespace } = this.hosts.get(name) ?? {};
    if (namespace != null) inNamespace(namespace, "ip", ["link", "set", "eth0", state]);
  }

  /** Processes of a host: of its namespace, or below its sshd. */
  processes(name: string): number[] {
    const { namespace, sshd: child } = this.hosts.get(name) ?? {};
    if (namespace == null) return descendants(child?.pid ?? 0);
    const pids = spawnSync("ip", ["netns", "pids", namespace], { encoding: "utf8" }).stdout;
    return pids.split("\n").filter(Boolean).map(Number);
  }

  /** Those of them that are agents. */
  agents(name: string): number[] {
    return this.processes(name).filter((pid) => {
      const words = readIfThere(`/proc/${pid}/cmdline`).split("\0");
      return /\/load-generator-[0-9a-f]+$/.test(words[0] ?? "") && words[1] === "agent";
    });
  }

  /** Ports on which something listens in a host's namespace: what a scan of it finds. */
  listening(name: string): number[] {
    const { namespace } = this.hosts.get(name) ?? {};
    if (namespace == null) return [];
    const tables = inNamespace(namespace, "cat", ["/proc/net/tcp", "/proc/net/tcp6"]);
    return tables
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === "0A")
      .map(([, local = ""]) => Number.parseInt(local.split(":")[1] ?? "0", 16));
  }

  async close(): Promise<void> {
    for (const { sshd: child } of this.hosts.values()) child.kill("SIGKILL");
    for (const { name, namespace } of this.hosts.values()) {
      if (namespace === null) continue;
      for (const pid of this.processes(name)) kill(pid);
      spawnSync("ip", ["netns", "del", namespace]);
    }
    this.#relay?.kill("SIGKILL");
    for (const link of this.#links) spawnSync("ip", ["link", "del", link]);
    await delay(50);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #common(): string {
    const { folder } = this;
    return [
      "Host *",
      `  User ${userInfo().username}`,
      "  IdentitiesOnly yes",
      `  UserKnownHostsFile ${join(folder, "known")}`,
      "  GlobalKnownHostsFile /dev/null",
      "",
    ].join("\n");
  }

  #sshdConfig(address: string, port: number, environment: Record<string, string>): string {
    const { folder } = this;
    const variables = Object.entries({ IO_SELECTORS_CACHE: this.cache, ...environment });
    return [
      `Port ${port}`,
      `ListenAddress ${address}`,
      `HostKey ${join(folder, "host")}`,
      `AuthorizedKeysFile ${join(folder, "authorized")}`,
      "PidFile none",
      "PasswordAuthentication yes",
      "KbdInteractiveAuthentication no",
      "UsePAM no",
      "StrictModes no",
      `SetEnv ${variables.map(([key, value]) => `${key}=${value}`).join(" ")}`,
      "",
    ].join("\n");
  }

  #makeHub(): void {
    const bridge = `ios${this.#tag}`;
    ip("link", "add", bridge, "type", "bridge");
    this.#links.push(bridge);
    ip("addr", "add", `${this.#subnet}.1/24`, "dev", bridge);
    ip("link", "set", bridge, "up");
  }

  #makeNamespace(namespace: string, address: string, index: number): void {
    const outside = `ios${this.#tag}v${index}`;
    ip("netns", "add", namespace);
    ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("link", "set", outside, "master", `ios${this.#tag}`, "up");
    inNamespace(namespace, "ip", ["link", "set", "lo", "up"]);
    plugIn(namespace, address);
  }
}

function plugIn(namespace: string, address: string): void {
  inNamespace(namespace, "ip", ["addr", "add", `${address}/24`, "dev", "eth0"]);
  inNamespace(namespace, "ip", ["link", "set", "eth0", "up"]);
}

function ip(...words: string[]): void {
  execFileSync("ip", words);
}

function inNamespace(namespace: string, command: string, args: readonly string[]): string {
  return execFileSync("ip", ["netns", "exec", namespace, command, ...args], { encoding: "utf8" });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // it has ended
  }
}

function descendants(pid: number): number[] {
  const text = readIfThere(`/proc/${pid}/task/${pid}/children`);
  return text
    .split(" ")
    .filter(Boolean)
    .flatMap((word) => [Number(word), ...descendants(Number(word))]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** sshd says so on standard error; without it the first connection might come too early. */
async function listening(child: ChildProcess): Promise<void> {
  let text = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("Server listening")) resolve();
    });
    child.once("exit", () => reject(new Error(`sshd ended: ${text}`)));
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const address = probe.address();
  probe.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}
