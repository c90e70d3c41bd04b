// The pass of --cpu-profile: after all rounds, each contender once more under the load of the run's
// first workload, while perf samples its CPU. No window is measured meanwhile, so that no figure of
// the run pays for the samples.

import type { Contender } from "../contenders/catalogue.ts";
import { Interrupted } from "../host/deadline.ts";
import { PerfFiles, recordCpu, samplesPerSecond } from "../host/perf.ts";
import { processTree } from "../host/usage.ts";
import type { CpuProfile } from "../model/cpu-profile.ts";
import type { Cell, Results } from "../model/results.ts";
import { runtimeRow } from "../model/runtimes.ts";
import { faultOf } from "./faults.ts";
import { runLoad } from "./load.ts";
import type { GeneratorLoad } from "./load-arguments.ts";
import { PerfScript } from "./perf-script.ts";
import type { Plan, Scenario } from "./plan.ts";
import type { Timing } from "./profiles.ts";
import { type RoundContext, startContender, warmed, withoutRoot } from "./round.ts";
import type { ServerProcess } from "./server.ts";

interface ProfilePass extends RoundContext {
  /** Processes that a server of several is to have. */
  readonly workersOf: (contender: Contender, scenario: Scenario) => number;
  readonly onContender: (name: string) => void;
}

const seconds = 3;
/** The load goes on while perf starts and ends. */
const windowMs = 1000;
const windows = seconds + 2;
const warmupMs = 300;

interface Profiled {
  readonly scenario: Scenario;
  readonly load: GeneratorLoad;
  readonly contenders: readonly Contender[];
}

/** The first workload with messages, at its largest scale; null if the plan has none. */
export function profiledOf({ parts }: Plan): Profiled | null {
  const found = parts.flatMap(({ scenarios, contenders }) => {
    const [scenario] = scenarios;
    if (scenario === undefined || !hasMessages(scenario.load)) return [];
    return [{ scenario, load: scenario.load, contenders }];
  });
  const [first] = found;
  return found
    .filter(({ scenario }) => scenario.workload === first?.scenario.workload)
    .reduce<Profiled | null>(
      (most, one) => (most === null || one.load.connections > most.load.connections ? one : most),
      null,
    );
}

function hasMessages(load: Scenario["load"]): load is GeneratorLoad {
  return ["open", "closed", "churn"].includes(load.mode);
}

/**
 * Adds a profile of each contender that the run could measure. What an interruption leaves undone
 * is left out.
 */
export async function withCpuProfiles(
  results: Results,
  plan: Plan,
  pass: ProfilePass,
): Promise<Results> {
  const profiled = profiledOf(plan);
  const cpuProfiles: CpuProfile[] = [];
  if (profiled === null || pass.signal.aborted) return results;
  const ran = new Set(results.cells.filter(wasMeasured).map(({ contender }) => contender));
  try {
    for (const contender of profiled.contenders.filter(({ name }) => ran.has(name))) {
      pass.onContender(contender.name);
      cpuProfiles.push(await profileOf(contender, profiled, pass));
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    pass.host.killAll();
    await pass.host.allEnded(2_000);
  }
  return { ...results, cpuProfiles };
}

function wasMeasured({ blocks }: Cell): boolean {
  return blocks > 0;
}

async function profileOf(
  contender: Contender,
  { scenario, load }: Profiled,
  pass: ProfilePass,
): Promise<CpuProfile> {
  const timing = warmed(contender, { warmupMs, steadyWithinMs: 0, windows, windowMs }, load);
  const about = {
    workload: scenario.workload.name,
    contender: contender.name,
    connections: load.connections,
    activeConnections: load.activeConnections,
    payloadBytes: load.payloadBytes,
    ...(scenario.variant === null ? {} : { variant: scenario.variant }),
    ...{ samplesPerSecond, seconds },
  };
  const nothing = { samples: 0, shares: {}, frames: [], stacks: [] };
  const request = {
    ...{ contender: naming(contender), scenario, timing, scenarioIndex: 0, block: 0, seed: 1 },
    workers: pass.workersOf(contender, scenario),
  };
  const started = await startContender(request, load, pass);
  if (!("server" in started)) {
    const reason = started.failure ?? started.unavailable ?? "it did not start";
    return { ...about, ...nothing, reason: withoutRoot(reason, pass.host.paths) };
  }
  const { folded, problem } = await sampled(started.server, { contender, load, timing }, pass);
  const empty = folded.samples === 0 ? "no sample fell into its processes" : null;
  const reason = problem ?? empty;
  if (reason !== null)
    return { ...about, ...nothing, reason: withoutRoot(reason, pass.host.paths) };
  return { ...about, ...folded, reason };
}

/**
 * Engines that compile while they run write down the names of their functions in this pass. The
 * variable reaches a server of others through whatever starts it. node(1), --perf-basic-prof
 */
function naming(contender: Contender): Contender {
  const compiles = contender.runtime === "foreign" || runtimeRow(contender.runtime).engine !== null;
  if (!compiles) return contender;
  const options = `${process.env["NODE_OPTIONS"] ?? ""} --perf-basic-prof`.trim();
  const command: Contender["command"] = (paths, workers) => [
    ...["env", `NODE_OPTIONS=${options}`],
    ...contender.command(paths, workers),
  ];
  return { ...contender, command };
}

interface Sampled {
  readonly contender: Contender;
  readonly load: GeneratorLoad;
  readonly timing: Timing;
}

async function sampled(
  server: ServerProcess,
  { contender, load, timing }: Sampled,
  { host, signal, cpus }: ProfilePass,
) {
  const { port, pid } = server;
  let processes = new Set<number>();
  const written = new PerfFiles();
  const script = new PerfScript((sampledPid) => processes.has(sampledPid));
  let recorded: Promise<string | null> = Promise.resolve("the connections were not established");
  const record = () =>
    recordCpu(
      {
        // A server that ran before is on any CPU.
        ...{ cpu: contender.runtime === "foreign" ? null : cpus.server, seconds },
        onLine: (line) => script.add(line),
        onRecorded: () => {
          processes = new Set(processTree(pid));
          for (const one of [...processes, ...processTree(server.startedPid)]) written.add(one);
        },
      },
      { host, signal },
    );
  const onConnected = () => {
    for (const one of [pid, server.startedPid]) written.add(one);
    recorded = new Promise<void>((resolve) => setTimeout(resolve, timing.warmupMs)).then(record);
    recorded.catch(() => {}); // awaited below
  };
  try {
    const loaded = await runLoad(
      { port, pid, load, timing, seed: 1, spoken: contender.spoken },
      { host, signal, cpu: cpus.client, serverEnded: server.ended, onConnected },
    );
    const problem = loaded.failure ?? faultOf(loaded, load) ?? (await recorded);
    await server.stop();
    return { folded: script.end(), problem };
  } finally {
    server.kill();
    written.remove();
  }
}
