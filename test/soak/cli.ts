// `npm run test:soak`: connect-echo-close cycles through servers, selectors made and closed, and
// workers that load the addon and end; descriptors, threads and memory must stay flat. Exit code 1
// if anything grows or fails, 2 for bad arguments.

import { describeVerdicts, type Verdict } from "../lifetimes/flatness.ts";
import { reload } from "../lifetimes/reloads.ts";
import { exitOnSignals } from "../programs/exit-on-signals.ts";
import {
  type OptionRow,
  optionLines,
  readOptions,
  UsageError,
  wholeNumber,
} from "../programs/options.ts";
import { formatCount, Progress } from "../programs/progress.ts";
import { makeMany } from "./selectors.ts";
import { soak } from "./soak.ts";

const rows: readonly OptionRow[] = [
  { name: "cycles", value: "N", help: "through each server; 1000000 unless given" },
  { name: "servers", value: "A[,B]", help: "contenders; ts:reactor-epoll,cpp:reactor-epoll" },
  { name: "selectors", value: "N", help: "made, waited for and closed; 50000 unless given" },
  { name: "reloads", value: "N", help: "of the addon, by workers; 1000 unless given" },
];

const FEWEST_CYCLES = 1000; // fewer a sample say nothing

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  exitOnSignals();
  try {
    const given = readOptions(argv, rows);
    if (given !== null) return await soakAll(given);
    console.log(`npm run test:soak -- [options]\n\n${optionLines(rows)}`);
    return 0;
  } catch (error) {
    console.error(`soak: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function soakAll(given: ReadonlyMap<string, string>): Promise<number> {
  const cycles = wholeNumber(given.get("cycles") ?? "1000000", "cycles", 0, 1e12);
  const selectors = wholeNumber(given.get("selectors") ?? "50000", "selectors", 0, 1e9);
  const reloads = wholeNumber(given.get("reloads") ?? "1000", "reloads", 0, 1e9);
  const servers = (given.get("servers") ?? "ts:reactor-epoll,cpp:reactor-epoll").split(",");
  if (cycles > 0 && cycles < FEWEST_CYCLES) {
    throw new UsageError(`--cycles: 0, or at least ${FEWEST_CYCLES}`);
  }
  for (const name of servers) {
    if (!/^(ts|cpp):[\w-]+$/.test(name)) throw new UsageError(`--servers: "${name}" is no server`);
  }
  const verdicts: Verdict[] = [];
  for (const name of cycles > 0 ? servers : []) verdicts.push(...(await soakOne(name, cycles)));
  if (selectors > 0) verdicts.push(...(await makeAll(selectors)));
  if (reloads > 0) verdicts.push(...(await reloadAll(reloads)));
  const growing = verdicts.filter(({ flat }) => !flat).length;
  console.log(growing === 0 ? "soak: all flat" : `soak: ${growing} of ${verdicts.length} grow`);
  return growing === 0 ? 0 : 1;
}

async function soakOne(name: string, cycles: number): Promise<Verdict[]> {
  const progress = new Progress(cycles, "cycles");
  const { server, client } = await soak(name, cycles, (done) => progress.show(done, name));
  progress.clear();
  report(`${formatCount(cycles)} cycles through ${name}`, cycles, progress.seconds);
  console.log(`server\n${describeVerdicts(server)}\nclient\n${describeVerdicts(client)}`);
  return [...server, ...client];
}

async function makeAll(selectors: number): Promise<Verdict[]> {
  const progress = new Progress(selectors, "selectors");
  const verdicts = await makeMany(selectors, (done) => progress.show(done, "selectors"));
  progress.clear();
  report(`${formatCount(selectors)} selectors made and closed`, selectors, progress.seconds);
  console.log(describeVerdicts(verdicts));
  return verdicts;
}

async function reloadAll(reloads: number): Promise<Verdict[]> {
  const progress = new Progress(reloads, "workers");
  const verdicts = await reload(reloads, (done) => progress.show(done, "the addon in workers"));
  progress.clear();
  report(`${formatCount(reloads)} loads and unloads of the addon`, reloads, progress.seconds);
  console.log(describeVerdicts(verdicts));
  return verdicts;
}

function report(what: string, count: number, seconds: number): void {
  console.log(`soak: ${what}: ${seconds.toFixed(1)} s, ${formatCount(count / seconds)}/s`);
}
