// Publishes a run as a reference run, and writes its figures into the pages that quote them, by what
// `npm run build` has compiled:
//   node docs/publish-reference.mjs RUN_DIRECTORY NAME     its report becomes reports/reference/NAME
//   node docs/publish-reference.mjs                        renders the published runs and the pages again
// A test compares the pages with the reference runs, so a figure cannot be edited by hand.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { judgedClaims } from "../dist/bench/report/claims.js";
import { bytes, duration } from "../dist/bench/report/format.js";
import { figureWithInterval } from "../dist/bench/report/intervals.js";
import { parseResults, serializeResults } from "../dist/bench/report/json.js";
import { renderMarkdown } from "../dist/bench/report/markdown.js";
import { reportOf } from "../dist/bench/report/report.js";
import { renderSaved } from "../dist/bench/report/write.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const reference = join(root, "reports", "reference");

/** The pages that quote a reference run, each with what makes its blocks of figures. */
const pages = {
  "README.md": {
    default: () => defaultBlock(saved("default")),
    c1m: () => millionBlock(saved("c1m")),
  },
  "docs/claims.md": { claims: () => claimsBlock(saved("full")) },
  "docs/choosing-a-strategy.md": {
    peers: () => peersBlock(saved("peers")),
    blocking: () => blockingBlock(saved("blocking")),
  },
};

/** The text of each page as it should be. */
export function quotedPages() {
  return Object.entries(pages).map(([page, blocks]) => {
    const before = readFileSync(join(root, page), "utf8");
    const after = Object.entries(blocks).reduce(
      (text, [name, block]) => withBlock(text, { page, name, block: block() }),
      before,
    );
    return { page, before, after };
  });
}

function withBlock(text, { page, name, block }) {
  const begin = `<!-- figures: ${name} -->\n`;
  const end = `\n<!-- end of figures -->`;
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start < 0 || stop < 0) throw new Error(`${page}: no block "${begin.trim()}"`);
  return `${text.slice(0, start)}${begin}\n${block}${text.slice(stop)}`;
}

function saved(name) {
  const path = join(reference, name, "results.json");
  if (!existsSync(path))
    throw new Error(
      `${path} does not exist, and the pages quote it: git checkout reports/reference, or publish a run`,
    );
  return parseResults(readFileSync(path, "utf8"), path);
}

/** The table of echo-rate with so many connections, as the run's own Markdown has it. */
function echoTable(results, connections) {
  const heading = `^## echo-rate: ${connections.toLocaleString("en")} .*?^(\\|.*?)\\n$`;
  const [, table] = new RegExp(heading, "ms").exec(renderMarkdown(reportOf(results))) ?? [];
  if (table === undefined) throw new Error(`no echo-rate with ${connections} connections`);
  return table;
}

function defaultBlock(results) {
  return [
    echoTable(results, 10_000),
    "",
    `One run of \`npm run bench -- --profile default\` (shared virtual machine; ${machineOf(results)}).`,
    "[Its report](reports/reference/default/report.md) has the other workloads. `ts:connections-*` servers use `serve`, one per engine;",
    "`cpp:proactor-epoll` is the default engine as a C++ program; `ts:reactor-epoll` uses `Reactor`. `cpp:` servers are native programs.",
  ].join("\n");
}

function machineOf({ environment, startedAt }) {
  const { cpuModel, availableCores, kernel, node } = environment;
  const cpu = cpuModel.replace(/\((?:R|TM)\)/g, "").replace(/ (?:Processor|CPU)\b/g, "");
  const short = (version) => version.replace(/^\D*(\d+\.\d+).*/s, "$1");
  const date = startedAt.slice(0, 10);
  return `${cpu}, ${availableCores} cores, Linux ${short(kernel)}, Node ${short(node)}, ${date}`;
}

function millionBlock(results) {
  const { cells } = results;
  const figure = (contender, metric) => {
    const cell = cells.find((one) => one.contender === contender);
    return bytes(cell.metrics[metric].median);
  };
  return [
    "In [a run with a million connections](reports/reference/c1m/report.md), each of which echoed a message,",
    `\`cpp:prefork\` used ${figure("cpp:prefork", "userBytesPerConnection")} of its own memory per connection and ` +
      `\`ts:prefork\` ${figure("ts:prefork", "userBytesPerConnection")}; the kernel used`,
    `${figure("cpp:prefork", "kernelBytesPerConnection")} per connection for both ends (${machineOf(results)}).`,
  ].join("\n");
}

function peersBlock(results) {
  return [
    echoTable(results, 1_000),
    "",
    `One run of the first command (shared virtual machine; ${machineOf(results)}).`,
    "[Its report](../reports/reference/peers/report.md) has the versions, and the settings in which each server differs.",
  ].join("\n");
}

/** What is blocked where one message in 32 blocks, by contender. */
const blocked = {
  "cpp:reactor-epoll": "the only thread",
  "node:net": "the only thread",
  "cpp:prefork": "one of several processes",
  "cpp:reactor-workers": "one of four threads of a pool",
  "ts:connections-workers": "one of four workers",
  "node:net-workers": "one of four workers",
  "cpp:thread-per-connection": "the thread of that connection",
};

const blockingCommand = "npm run bench -- --workloads blocking-handler --blocks 6";

function blockingBlock(results) {
  const cells = results.cells.filter(({ workload }) => workload === "blocking-handler");
  const rows = Object.entries(blocked).map(([name, what]) => {
    const cell = cells.find((one) => one.contender === name && one.variant !== "undisturbed");
    if (cell === undefined) throw new Error(`blocking-handler: no cell of ${name}`);
    const { latencyP50: p50, latencyP99: p99 } = cell.metrics;
    const shown = [duration(p50.median), figureWithInterval(p99, duration)].join(" | ");
    return `| ${what} | \`${name}\` | ${shown} |`;
  });
  return [
    "| what is blocked | contender | p50 | p99 |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    `Medians over blocks with 1,000 connections, and the 95 % interval of p99, from one run of`,
    `\`${blockingCommand}\` (shared virtual machine; ${machineOf(results)}).`,
  ].join("\n");
}

function claimsBlock(results) {
  const rows = judgedClaims(results).map(({ claim, judged }) => {
    const figures = judged.figures === "" ? "" : `: ${judged.figures}`;
    return `| ${claim.claim} | ${claim.source} | ${claim.tested} | ${judged.judgement}${figures} |`;
  });
  return [
    "| claim | source | tested by | in the reference run |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

/** A clone downloads every published run. */
const mostBytes = 4 * 1024 * 1024;

/** Without the histograms of all cells but those of the largest echo-rate: half of the size. */
function lighter(results) {
  const rates = results.cells.filter(({ workload }) => workload === "echo-rate");
  const most = Math.max(...rates.map(({ connections }) => connections));
  const cells = results.cells.map((cell) => {
    const { latencyHistogram, latencyHistogramUncorrected, ...rest } = cell;
    return cell.workload === "echo-rate" && cell.connections === most ? cell : rest;
  });
  return serializeResults({ ...results, cells });
}

function publish([run, name]) {
  if (run !== undefined) {
    if (!/^\w[\w-]*$/.test(name ?? ""))
      throw new Error("usage: node docs/publish-reference.mjs RUN_DIRECTORY NAME");
    const path = join(run, "results.json");
    const text = readFileSync(path, "utf8");
    const results = parseResults(text, path);
    if (!results.complete) throw new Error(`${path}: an interrupted run`);
    const target = join(reference, name);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, "results.json"), text.length < mostBytes ? text : lighter(results));
  }
  for (const one of readdirSync(reference)) renderSaved(join(reference, one));
  for (const { page, after } of quotedPages()) writeFileSync(join(root, page), after);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) publish(process.argv.slice(2));
