// Several machines as one Host: the server under test on one of them, load generators on the
// others. What measures on it does not know: it starts a server, and a load generator, and reads
// lines.

import { type CpuPlan, chooseCpus } from "../host/cpus.ts";
import { within } from "../host/deadline.ts";
import type { MachineEnvironment } from "../host/environment.ts";
import { cgroupLimitsOf, gatherEnvironment } from "../host/environment.ts";
import { type Host, type HostProcess, type StartOptions, supervisor } from "../host/host.ts";
import { bootId, type HostEnvironment, hostEnvironment } from "../host/host-environment.ts";
import type { MachineLimits, Shortfall } from "../host/limits.ts";
import { readMachineLimits } from "../host/machine-limits.ts";
import { kernelMemory, type MemorySample } from "../host/memory.ts";
import { type Usage, usageOf } from "../host/usage.ts";
import { type Paths, packagePaths } from "../paths.ts";
import { Agent, HostError } from "./agent.ts";
import { agentShortfall, partShortfall } from "./agent-limits.ts";
import type { Installed } from "./bootstrap.ts";
import { type HostPlan, localName } from "./destination.ts";
import { FactCollector, type FleetFacts } from "./facts.ts";
import { generatorArguments, observerArguments } from "./fleet-arguments.ts";
import { type FleetMember, FleetProcess } from "./fleet-process.ts";
import { measureNetwork, type NetworkPath } from "./network.ts";
import type { StoredFile } from "./programs.ts";
import { RemoteCommand } from "./remote-command.ts";
import { withRemoteFiles } from "./remote-files.ts";
import { RemoteRunning } from "./remote-running.ts";

/** One machine as the report shows it. */
interface HostBlock {
  /** "server", "agent 1"; no host name. */
  readonly role: string;
  readonly environment: HostEnvironment;
  /** Between this agent and the server; null for the server. */
  readonly network: NetworkPath | null;
  /** Whether it is the machine that the server runs on. */
  readonly besideServer: boolean;
}

export interface Opening {
  readonly paths?: Paths;
  /** What the server's machine stores in addition to the programs. */
  readonly serverFiles?: readonly StoredFile[];
  readonly signal?: AbortSignal;
}

interface Placed {
  readonly agent: Agent;
  readonly cpu: number | null;
  readonly besideServer: boolean;
  readonly limits: MachineLimits;
  /** Whether a cgroup limits its CPU time: then the kernel counts the limit as waiting for it. */
  readonly cpuLimited: boolean;
}

export class FleetHost implements Host {
  readonly platform: NodeJS.Platform;
  readonly paths: Paths;
  readonly serverAddress: string;
  readonly shortestWindowMs = 50;
  readonly #server: Agent;
  readonly #agents: readonly Placed[];
  readonly #facts = new FactCollector();
  readonly #lost = new AbortController();
  #network: readonly NetworkPath[] = [];

  /** Reaches all machines together. @throws {HostError} naming each that cannot take part. */
  static async open(
    plan: HostPlan,
    { paths = packagePaths(), serverFiles = [], signal }: Opening,
  ): Promise<FleetHost> {
    const options = {
      paths,
      sshConfig: plan.sshConfig,
      ...(signal === undefined ? {} : { signal }),
    };
    const shared = plan.agents.indexOf(plan.server);
    const wanted = shared < 0 ? [...plan.agents, plan.server] : plan.agents;
    const opened = await Promise.allSettled(
      wanted.map((name) => {
        const files = name === plan.server ? serverFiles : [];
        return Agent.open(name, { ...options, files });
      }),
    );
    const agents = opened.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const faults = opened.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    try {
      const [fault] = faults;
      if (fault !== undefined && !(fault instanceof HostError)) throw fault;
      if (faults.length > 0) throw new HostError(faults.map(({ message }) => message).join("\n"));
      const server = agents[shared < 0 ? agents.length - 1 : shared] as Agent;
      const address = plan.serverAddress ?? addressOf(server, plan);
      const placed = await place(agents.slice(0, plan.agents.length), server);
      return new FleetHost({ paths, server, placed, address });
    } catch (error) {
      for (const agent of agents) agent.close();
      throw error;
    }
  }

  private constructor(parts: {
    readonly paths: Paths;
    readonly server: Agent;
    readonly placed: readonly Placed[];
    readonly address: string;
  }) {
    this.paths = parts.paths;
    this.serverAddress = parts.address;
    this.#server = parts.server;
    this.#agents = parts.placed;
    this.platform = parts.server.hello.system.toLowerCase() as NodeJS.Platform;
    for (const agent of this.#all) {
      agent.watch();
      void agent.lost.then((reason) => {
        this.#facts.fault(`${agent.name}: ${reason}`);
        this.#lost.abort();
      });
    }
  }

  /** Aborts when a machine is lost: a run without it would be a smaller one in disguise. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get facts(): FleetFacts {
    for (const { name, longestStallMs } of this.#all) {
      if (longestStallMs === 0) continue;
      const seconds = (longestStallMs / 1000).toFixed(1);
      const why = "its link was interrupted, or its host was suspended";
      this.#facts.fault(`${name}: no answer for ${seconds} s: ${why}`);
    }
    return this.#facts.facts;
  }

  /** As the user named them, the server last. */
  get names(): readonly string[] {
    return [...this.#agents.map(({ agent }) => agent.name), this.#server.name];
  }

  /** Where the server's machine keeps the programs; files that it stores lie next to them. */
  get serverPrograms(): Installed {
    return this.#server.installed;
  }

  /** Every agent as a machine to look at, in order, and the server last: for doctor. */
  get machines(): readonly {
    readonly name: string;
    readonly role: string;
    readonly agent: Agent;
  }[] {
    return [
      ...this.#agents.map(({ agent }, index) => ({
        name: agent.name,
        role: `agent ${index + 1}`,
        agent,
      })),
      { name: this.#server.name, role: "server", agent: this.#server },
    ];
  }

  start(argv: readonly string[], options: StartOptions): HostProcess {
    const [program, subcommand] = argv;
    const isLoad = program === this.paths.loadGenerator;
    if (isLoad && (subcommand === "hold" || subcommand === "run")) {
      return this.#startFleet(argv.slice(2), subcommand, options.onLine);
    }
    const { loadGenerator, echoServer } = this.#server.installed;
    const isEcho = program === this.paths.echoServer;
    const command = isEcho
      ? [echoServer, ...argv.slice(1), "--host", this.serverAddress]
      : argv.map((word) => (word === this.paths.loadGenerator ? loadGenerator : word));
    const { launch, onLine, supervised = false } = options;
    const prefix = launch === undefined ? [] : launcher(this.#server, launch.cpu);
    const foreign = this.#foreign(argv);
    if (foreign?.how === "command") {
      const { first: command, second } = foreign;
      const where = { address: this.serverAddress, readySeconds: Number(second) };
      return new RemoteCommand(this.#server, { command, ...where, prefix, onLine });
    }
    if (foreign !== null) {
      const [port, pid] = [Number(foreign.first), Number(foreign.second)];
      return new RemoteRunning(this.#server, { port, pid, onLine });
    }
    const above = supervised ? supervisor(this.#server.installed) : [];
    return this.#server.start([...prefix, ...above, ...command], onLine, supervised);
  }

  /** Why a command cannot run on the server's machine; null if it can. */
  refuses(argv: readonly string[]): string | null {
    if (argv[0] !== this.paths.node || this.#foreign(argv) !== null) return null;
    if (this.#server.name === localName && this.serverAddress === "127.0.0.1") return null;
    return "it runs on Node.js and listens on 127.0.0.1; with agents, only native servers run";
  }

  /** Of the agents: ports and memory for their parts of so many connections. */
  shortfall(connections: number): Shortfall | null {
    const parts = partShortfall(connections, this.#agents.length);
    if (parts !== null) return parts;
    const found = this.#agents.map(({ agent, limits }) =>
      agentShortfall(agent.name, limits, {
        connections: Math.ceil(connections / this.#agents.length),
        oneSource: this.hasOneSource(agent),
      }),
    );
    return found.find((each) => each !== null) ?? null;
  }

  /** Whether an agent has one address to connect from: loopback has many. */
  hasOneSource(agent: Agent): boolean {
    const placed = this.#agents.find((one) => one.agent === agent);
    return !(placed?.besideServer === true && this.serverAddress.startsWith("127."));
  }

  killAll(): void {
    for (const agent of this.#all) agent.killProcesses();
  }

  async allEnded(timeoutMs: number): Promise<void> {
    await within(Promise.all(this.#all.map((agent) => agent.processesEnded())), { timeoutMs });
  }

  async alive(pid: number): Promise<boolean | null> {
    try {
      return (await this.#server.request("alive", { pid }))["alive"] === true;
    } catch (error) {
      if (error instanceof HostError) return null;
      throw error;
    }
  }

  /** The server's CPU; each agent has chosen its own. */
  async cpus(): Promise<CpuPlan> {
    const plan = await withRemoteFiles(this.#server, ({ read }) => chooseCpus(read));
    const beside = this.#agents.some(({ besideServer }) => besideServer);
    const client = beside ? plan.client : null;
    // `clientAlone` is false: an agent may have one CPU only, which its own process needs, too.
    return { ...plan, client, clientAlone: false, note: beside ? plan.note : null };
  }

  limits(): Promise<MachineLimits> {
    return limitsOf(this.#server);
  }

  /** The server's machine; what the programs were made from is known here. */
  async environment(): Promise<MachineEnvironment> {
    const ours = gatherEnvironment(this.paths.root);
    const theirs = await environmentOf(this.#server);
    return { ...ours, ...theirs };
  }

  /** An environment block for each machine, and the network between it and the server. */
  async blocks(): Promise<HostBlock[]> {
    const server = await environmentOf(this.#server);
    const blocks: HostBlock[] = [
      { role: "server", environment: server, network: null, besideServer: true },
    ];
    for (const [index, { agent, besideServer }] of this.#agents.entries()) {
      const environment = await environmentOf(agent);
      const network = this.#network[index] ?? null;
      blocks.push({ role: `agent ${index + 1}`, environment, network, besideServer });
    }
    return blocks;
  }

  /** A second or two for each agent: what the network between it and the server can do. */
  async measureNetwork(): Promise<readonly NetworkPath[]> {
    const paths: NetworkPath[] = [];
    for (const { agent } of this.#agents) {
      paths.push(
        await measureNetwork(agent, { server: this.#server, address: this.serverAddress }),
      );
    }
    this.#network = paths;
    return paths;
  }

  async memory(serverPid: number, _clientPid: number | null): Promise<MemorySample> {
    try {
      const sample = await this.#server.request("memory", { server: serverPid, client: 0 });
      const kernelBytes = await withRemoteFiles(this.#server, ({ read }) => kernelMemory(read));
      const serverBytes = sample["serverBytes"] as number | null;
      return { serverBytes, clientBytes: null, kernelBytes };
    } catch (error) {
      // The machine is lost, which ends the round: what was measured before is kept.
      if (!(error instanceof HostError)) throw error;
      return { serverBytes: null, clientBytes: null, kernelBytes: null };
    }
  }

  async usage(pid: number): Promise<Usage | null> {
    return await withRemoteFiles(this.#server, ({ read }) => usageOf(pid, read));
  }

  /** Ends every agent, and what it started. */
  async close(timeoutMs = 2_000): Promise<void> {
    for (const agent of this.#all) agent.close();
    await within(Promise.all(this.#all.map((agent) => agent.ended())), { timeoutMs });
    for (const agent of this.#all) agent.kill();
  }

  get #all(): readonly Agent[] {
    return [...new Set([...this.#agents.map(({ agent }) => agent), this.#server])];
  }

  /** A server of others, which needs no Node there; null for anything else. */
  #foreign([program, script, how, first = "", second = ""]: readonly string[]) {
    if (program !== this.paths.node || script !== this.paths.announce) return null;
    return how === "command" || how === "attach" ? { how, first, second } : null;
  }

  #startFleet(
    args: readonly string[],
    subcommand: "hold" | "run",
    onLine: (line: string) => void,
  ): HostProcess {
    const parts = this.#agents.length;
    const where = { address: this.serverAddress, parts, subcommand };
    const generators = this.#agents.map(({ agent, cpu, cpuLimited }, part): FleetMember => {
      const own = generatorArguments(args, { ...where, part });
      const argv = [...launcher(agent, cpu), agent.installed.loadGenerator, subcommand, ...own];
      return { agent, cpuLimited, start: (hear) => agent.start(argv, hear) };
    });
    const observer: FleetMember = {
      agent: this.#server,
      cpuLimited: false,
      start: (hear) =>
        this.#server.start(
          [this.#server.installed.loadGenerator, "observe", ...observerArguments(args)],
          hear,
        ),
    };
    const fills = args.includes("--slow");
    return new FleetProcess({
      generators,
      observer,
      begins: subcommand === "hold" ? "on-command" : fills ? "filled" : "connected",
      onLine,
      facts: this.#facts,
    });
  }
}

/** Raises the descriptor limit, pins, and dies with the agent. */
function launcher({ installed, hello }: Agent, cpu: number | null): string[] {
  const pin = cpu === null ? [] : ["--cpu", String(cpu)];
  return [installed.loadGenerator, "launch", ...pin, "--parent", String(hello.pid), "--"];
}

function addressOf(server: Agent, { agents }: HostPlan): string {
  const elsewhere = agents.some((name) => name !== server.name);
  const address = server.address;
  if (address !== null && !(server.name === localName && elsewhere)) return address;
  throw new HostError(
    "the address at which the agents reach the server is not known: name it with --server-address",
    server.name,
  );
}

/** A generator on the server's machine keeps off the server's CPU; others take the last core. */
async function place(agents: readonly Agent[], server: Agent): Promise<Placed[]> {
  const serverBoot = await bootOf(server);
  return await Promise.all(
    agents.map(async (agent) => {
      const plan = await withRemoteFiles(agent, ({ read }) => chooseCpus(read));
      const besideServer = agent === server || (await bootOf(agent)) === serverBoot;
      // Ports and memory: a list of all processes, from a hundred agents, is work for nothing.
      const limits = await withRemoteFiles(agent, ({ read }) => readMachineLimits(read, () => []));
      const groups = await withRemoteFiles(agent, ({ read }) => cgroupLimitsOf(read));
      const cpu = besideServer ? plan.client : plan.server;
      return { agent, besideServer, limits, cpu, cpuLimited: groups.cpus !== null };
    }),
  );
}

function bootOf(agent: Agent): Promise<string | null> {
  return withRemoteFiles(agent, ({ read }) => bootId(read));
}

export function limitsOf(agent: Agent): Promise<MachineLimits> {
  return withRemoteFiles(agent, ({ read, list }) => readMachineLimits(read, list));
}

export function environmentOf(agent: Agent): Promise<HostEnvironment> {
  return withRemoteFiles(agent, ({ read }) => hostEnvironment(agent.hello, read));
}
