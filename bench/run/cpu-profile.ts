// The pass of --cpu-profile: after all rounds, each contender once more under the load of the run's
// first workload, while perf samples its CPU.

import type { Contender } from "../contenders/catalogue.ts";
import { PerfFiles, recordCpu, samplesPerSecond } from "../host/perf.ts";
import { processTree } from "../host/usage.ts";
import type { CpuProfile } from "../model/cpu-profile.ts";
import type { Results } from "../model/results.ts";
import { runtimeRow } from "../model/runtimes.ts";
import { faultOf } from "./faults.ts";
import { runLoad } from "./load.ts";
import type { GeneratorLoad } from "./load-arguments.ts";
import { PerfScript } from "./perf-script.ts";
import type { Plan } from "./plan.ts";
import type { Timing } from "./profiles.ts";
import { withoutRoot } from "./round.ts";
import {
  eachInTurn,
  type PassLoad,
  type SeparatePass,
  scaleOf,
  startForPass,
} from "./separate-pass.ts";
import type { ServerProcess } from "./server.ts";
import { warmed } from "./warm-up.ts";

const seconds = 3;
/** The load goes on while perf starts and ends. */
const windowMs = 1000;
const windows = seconds + 2;
const warmupMs = 300;

/** Adds a profile of each contender that the run could measure. */
export async function withCpuProfiles(
  results: Results,
  plan: Plan,
  pass: SeparatePass,
): Promise<Results> {
  const profile = (contender: Contender, passLoad: PassLoad) =>
    profileOf(contender, passLoad, pass);
  const cpuProfiles = await eachInTurn({ results, plan }, pass, profile);
  return cpuProfiles.length === 0 ? results : { ...results, cpuProfiles };
}

async function profileOf(
  contender: Contender,
  passLoad: PassLoad,
  pass: SeparatePass,
): Promise<CpuProfile> {
  const { load } = passLoad;
  const timing = warmed(contender, { warmupMs, steadyWithinMs: 0, windows, windowMs }, load);
  const about = {
    ...scaleOf(passLoad),
    ...{ contender: contender.name, samplesPerSecond, seconds },
  };
  const nothing = { samples: 0, shares: {}, frames: [], stacks: [] };
  const server = await startForPass({ contender: naming(contender), passLoad, timing }, pass);
  if (typeof server === "string") return { ...about, ...nothing, reason: server };
  const { folded, problem } = await sampled(server, { contender, load, timing }, pass);
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
  { host, signal, cpus }: SeparatePass,
) {
  const { port, pid } = server;
  let processes = new Set<number>();
  const written = new PerfFiles();
  const script = new PerfScript((sampledPid) => processes.has(sampledPid));
  // A server that was not started here keeps the files that it has written.
  const forget = (...pids: number[]) => {
    if (contender.attached !== true) for (const one of pids) written.add(one);
  };
  const forgetAll = () => forget(...processTree(pid), ...processTree(server.startedPid));
  let recorded: Promise<string | null> = Promise.resolve("the connections were not established");
  const record = () =>
    recordCpu(
      {
        // A server that ran before is on any CPU.
        ...{ cpu: contender.runtime === "foreign" ? null : cpus.server, seconds },
        onLine: (line) => script.add(line),
        onRecorded: () => {
          processes = new Set(processTree(pid));
          forget(...processes);
        },
      },
      { host, signal },
    );
  const onConnected = () => {
    forgetAll();
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
    forgetAll();
    server.kill();
    written.remove();
  }
}
