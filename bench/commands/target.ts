// target: measures servers that are not part of the suite, one or several per run, from outside.

import { machineRows } from "../agents/machines.ts";
import { flag, type Given, option, UsageError, words } from "../command-line.ts";
import { contenders, reference } from "../contenders/catalogue.ts";
import { families } from "../contenders/families.ts";
import type { MetricName } from "../model/metrics.ts";
import type { Results } from "../model/results.ts";
import { failuresOf, readThreshold, type Threshold } from "../model/thresholds.ts";
import { workloads } from "../model/workloads/catalogue.ts";
import type { Workload } from "../model/workloads/workload.ts";
import { loadRows, outRow, requestOf } from "../run/options.ts";
import { makePlan, type Plan, refuseUnused } from "../run/plan.ts";
import { protocolRows, type Spoken, shownOptions, spokenBy } from "../run/protocol.ts";
import { type Command, openRow, say } from "./command.ts";
import { liveRows } from "./live-options.ts";
import { measure } from "./measuring.ts";
import { passRows } from "./passes.ts";
import { refuseOptions } from "./spoken.ts";
import { targetRows, targetsOf, withoutUrl } from "./targets.ts";

const name = "target";
/** Few enough for a server that forks for each connection, enough to see how it goes. */
const usualConnections = 100;
const usualRate = 2_000;

const rows = [
  ...targetRows,
  ...protocolRows,
  option("workloads", "A,B", "rate (default), capacity, or any other that list shows", words),
  ...loadRows,
  {
    ...option(
      "fail-if",
      "'p99 > 5ms'",
      "exit code 1 if this holds for a server; may be repeated",
      threshold,
    ),
    many: true,
  },
  ...passRows,
  ...liveRows,
  ...machineRows,
  outRow,
  openRow,
  flag("json", "results.json on standard output instead of the table"),
] as const;

export const targetCommand: Command = {
  name,
  summary: "measures your own servers, in any language: echo, HTTP, or requests of your own",
  operands: "",
  options: rows,
  examples: [
    [
      "npm run bench -- target --command 'node server.js {port}' --protocol http --path /health",
      `${usualConnections} connections, ${usualRate} requests/s`,
    ],
    [
      "npm run bench -- target --name old --command '…' --name new --command '…' --protocol http",
      "two versions, compared in one run: the first one is the baseline",
    ],
    [
      "npm run bench -- target --url http://127.0.0.1:8080/ --pid 4242 --fail-if 'p99 > 5ms'",
      "a server that already runs, with a threshold for a script",
    ],
    [
      "npm run bench -- target --address 127.0.0.1:6379 --pid 4242 --protocol request " +
        "--send 'PING\\r\\n' --expect '+PONG\\r\\n'",
      "Redis, or any other protocol of requests and answers",
    ],
    [
      "npm run bench -- target --command 'socat TCP-LISTEN:{port},fork,reuseaddr EXEC:cat'",
      "an echo server, compared with the reference",
    ],
  ],
  execute: async (asked) => {
    const given = withoutUrl(asked);
    const spoken = spokenBy(given);
    const plan = planOf(given, spoken);
    const thresholds = (given.values["fail-if"] ?? []) as readonly Threshold[];
    refuseUnmeasured(plan, thresholds);
    await refuseOptions(spoken);
    return await measure(plan, { given, judge: judging(plan, thresholds) });
  },
};

/** Echo servers are compared with the suite's reference, others with the first of them. */
function planOf(given: Given, spoken: Spoken): Plan {
  refuseFamilies(requestOf(given).workloads ?? []);
  const targets = targetsOf(given, spoken);
  const { connections, rate, workloads: asked, ...request } = requestOf(given);
  const names = targets.map((target) => target.name);
  const echo = spoken.protocol === "echo";
  if (!echo && request.payload !== null) {
    throw new UsageError(`--payload needs --protocol echo; with ${spoken.protocol} omit it`);
  }
  const base = echo ? reference : (names[0] ?? name);
  const plan = makePlan(
    {
      ...request,
      profile: null,
      workloads: (asked ?? ["rate"]).map(workloadOf),
      contenders: echo ? [reference, ...names] : names,
      connections: connections ?? [usualConnections],
      rate: rate ?? usualRate,
      payload: echo ? request.payload : 0,
    },
    [...contenders, ...targets],
    base,
  );
  refuseUnused(plan, { ...request, rate });
  // The usual rate is not repeated: some workloads have none, and refuse it.
  const options = { ...plan.options, rate: rate ?? null, ...shownOptions(given, spoken) };
  return { ...plan, profile: name, options };
}

/** These measure programs of the suite's own: a server of others would not be started. */
function refuseFamilies(asked: readonly string[]): void {
  const family = asked.find((each) => Object.hasOwn(families, each));
  if (family === undefined) return;
  throw new UsageError(`--workloads: ${family} measures the suite's own programs, not a server`);
}

/** The suite's workloads were named when there was echo alone. */
function workloadOf(asked: string): string {
  return ["rate", "capacity"].includes(asked) ? `echo-${asked}` : asked;
}

function threshold(text: string, option: string): Threshold {
  const read = readThreshold(text);
  if (typeof read === "string") throw new UsageError(`${option}: ${read}`);
  return read;
}

/** @throws {UsageError} on a threshold for a figure that no workload of the plan measures. */
function refuseUnmeasured(plan: Plan, thresholds: readonly Threshold[]): void {
  const { parts, reference: base } = plan;
  const isCompared = plan.contenders.some((one) => one.runtime === "foreign" && one.name !== base);
  const planned = parts.flatMap(({ scenarios }) => scenarios.map(({ workload }) => workload));
  for (const { text, metric } of thresholds) {
    if (metric === "ratioToReference" && !isCompared) {
      throw new UsageError(`--fail-if: "${text}": a ratio needs a second --command`);
    }
    if (metric === null || planned.some((workload) => hasFigure(workload, metric))) continue;
    const names = [...new Set(planned.map((workload) => workload.name))].join(", ");
    const instead = metric === "throughput" ? "; messagesPerCpuSecond is" : "";
    throw new UsageError(`--fail-if: "${text}": ${metric} is not measured by ${names}${instead}`);
  }
}

/** @returns false if a threshold was exceeded: each is reported on standard error. */
function judging({ reference: base, contenders: rivals }: Plan, thresholds: readonly Threshold[]) {
  return ({ cells }: Results): boolean => {
    const foreign = new Set(rivals.flatMap((one) => (one.runtime === "foreign" ? [one.name] : [])));
    const judged = cells.filter(({ contender }) => foreign.has(contender));
    const failures = thresholds.flatMap((one) => {
      const measuring = judged.filter((cell) => measures(cell, one, base));
      return failuresOf(one, measuring);
    });
    for (const failure of failures) say(`fail-if ${failure}`);
    return failures.length === 0;
  };
}

/** A server or a baseline has no ratio to itself, and a workload no figure of another one. */
function measures(
  { contender, workload, variant }: Results["cells"][number],
  { metric }: Threshold,
  base: string,
): boolean {
  if (metric === null) return true;
  if (metric === "ratioToReference" && contender === base) return false;
  const row: Workload | undefined = workloads.find(({ name }) => name === workload);
  if (metric === "ratioToBaseline" && variant === row?.baseline?.variant) return false;
  return row !== undefined && hasFigure(row, metric);
}

function hasFigure(workload: Workload, name: MetricName): boolean {
  const { baseline, headline, metrics, comparesToReference, mustFill } = workload;
  if (name === "ratioToReference") return comparesToReference === true;
  if (name === "ratioToBaseline") return baseline !== undefined;
  // A server on a part of its CPU has no throughput of its own, but messagesPerCpuSecond.
  if (name === "throughput" && mustFill === true) return false;
  return name === headline || metrics.includes(name);
}
