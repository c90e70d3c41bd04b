// The options that add a pass after the rounds, and what each asks of the machine.

import type { Machines } from "../agents/machines.ts";
import { flag, type Given, type OptionRow, UsageError } from "../command-line.ts";
import type { Host } from "../host/host.ts";
import { perfProblem } from "../host/perf.ts";
import { straceProblem } from "../host/strace.ts";
import type { Results } from "../model/results.ts";
import { withCallCounts } from "../run/call-counts.ts";
import { withCpuProfiles } from "../run/cpu-profile.ts";
import type { Plan } from "../run/plan.ts";
import { passLoadOf, type SeparatePass } from "../run/separate-pass.ts";

interface PassRow {
  readonly option: OptionRow;
  /** Why this machine cannot do it, and what to do; null if it can. */
  readonly problem: (host: Host) => Promise<string | null>;
  readonly add: (results: Results, plan: Plan, pass: SeparatePass) => Promise<Results>;
  /** Before a contender's name, while it runs. */
  readonly doing: string;
}

const passes: readonly PassRow[] = [
  {
    option: flag("cpu-profile", "adds a pass with perf: where CPU time goes"),
    problem: perfProblem,
    add: withCpuProfiles,
    doing: "profile of",
  },
  {
    option: flag("count-calls", "adds a pass with strace: system calls by name"),
    problem: straceProblem,
    add: withCallCounts,
    doing: "system calls of",
  },
];

/** The options of the passes, for every command that measures servers. */
export const passRows: readonly OptionRow[] = passes.map(({ option }) => option);

export function passesAsked({ values }: Given): PassRow[] {
  return passes.filter(({ option }) => values[option.name] === true);
}

/** @throws {UsageError} if the pass cannot be made, before anything is measured. */
export async function refusePass(
  { option, problem }: PassRow,
  plan: Plan,
  { fleet, host }: Machines,
): Promise<void> {
  const found =
    fleet !== null
      ? "it needs the server on this machine; omit --agents, --server and --hosts"
      : passLoadOf(plan) === null
        ? "none of these workloads sends messages to a server; add --workloads echo-rate"
        : await problem(host);
  if (found !== null) throw new UsageError(`--${option.name}: ${found}`);
}
