// What servers cost per message, as a ratio to the first one, in the rows of a Markdown table. All
// run at once, and the load turns from one to the next within a fraction of a second, so that what
// slows the machine slows all.
// node --import ./test/typescript.mjs test/programs/paired-cost.ts --servers A,B [options]

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type Contender, contenders } from "../../bench/contenders/catalogue.ts";
import { peers } from "../../bench/contenders/peers.ts";
import { packagePaths } from "../../bench/paths.ts";
import { hodgesLehmann } from "../../bench/statistics/hodges-lehmann.ts";
import { exitOnSignals } from "./exit-on-signals.ts";
import { floors } from "./node-floors.ts";
import { type OptionRow, optionLines, readOptions, UsageError, wholeNumber } from "./options.ts";

const rows: readonly OptionRow[] = [
  {
    name: "servers",
    value: "A,B",
    help: "contenders, peers and floor:…, the reference first; Node's options may follow",
  },
  {
    name: "loads",
    value: "C@R,…",
    help: "a column each: C connections, R messages/s at random times; or CxN: N in flight",
  },
  { name: "rounds", value: "N", help: "windows of each server and load; 60 unless given" },
  { name: "window-ms", value: "N", help: "250 unless given" },
];

const known: readonly Contender[] = [...contenders, ...peers, ...floors];
const USUAL_LOADS = "100@20000,4000@20000,100x64";
const CONFIDENCE = 0.95;
const WARM_UP_WINDOWS = 6;

interface Load {
  readonly connections: number;
  /** The column's head. */
  readonly title: string;
  /** The load generator's words for it. */
  readonly words: string;
}

/** A server under one load. */
class Measured {
  readonly name: string;
  readonly costsNs: number[] = [];
  readonly #contender: Contender;
  readonly #children: ChildProcess[] = [];
  #answers: AsyncIterator<string> | null = null;
  #generator: ChildProcess | null = null;

  constructor(contender: Contender) {
    this.name = contender.name;
    this.#contender = contender;
  }

  async start(connections: number): Promise<void> {
    const paths = packagePaths();
    const server = this.#spawn(this.#contender.command(paths, 1));
    const { port, pid } = JSON.parse(await next(linesOf(server)));
    const load = ["--port", port, "--connections", connections, "--server-pid", pid].map(String);
    this.#generator = this.#spawn([paths.loadGenerator, "hold", "--payload-bytes", "64", ...load]);
    this.#answers = linesOf(this.#generator);
  }

  /** @returns nanoseconds of the server's CPU per message. */
  async window(words: string): Promise<number> {
    this.#generator?.stdin?.write(`window ${words}\n`);
    for (;;) {
      const answer = JSON.parse(await next(this.#answers));
      if (answer.event === "refused" || answer.event === "result") {
        throw new Error(`${this.name}: ${JSON.stringify(answer)}`);
      }
      if (answer.event === "window") return answer.serverCpuNs / answer.completedMessages;
    }
  }

  end(): void {
    for (const child of this.#children) child.kill("SIGTERM");
  }

  /** The ratio to a reference that was measured in the same rounds. */
  ratioTo(reference: Measured): string {
    const logs = this.costsNs.map((cost, i) => Math.log(cost / (reference.costsNs[i] ?? NaN)));
    const shift = hodgesLehmann(logs, CONFIDENCE);
    if (shift === null) return "";
    const [ratio, low, high] = [shift.estimate, shift.low, shift.high].map((log) =>
      Math.exp(log).toFixed(2),
    );
    return `${ratio} (${low}–${high})`;
  }

  get meanUs(): string {
    const sum = this.costsNs.reduce((total, cost) => total + cost, 0);
    return `${(sum / this.costsNs.length / 1000).toFixed(2)} µs`;
  }

  #spawn([file = "", ...args]: readonly string[]): ChildProcess {
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#children.push(child);
    return child;
  }
}

function linesOf(child: ChildProcess): AsyncIterator<string> {
  if (child.stdout === null) throw new Error("standard output is no pipe");
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

async function next(lines: AsyncIterator<string> | null): Promise<string> {
  const line = await lines?.next();
  if (line === undefined || line.done === true) throw new Error("a program ended early");
  return line.value;
}

/** @throws {UsageError} unless it is one of the two forms. */
function readLoad(text: string): Load {
  const [, connections = "", kind, amount = ""] = /^(\d+)([@x])(\d+)$/.exec(text) ?? [];
  if (kind === undefined) throw new UsageError(`--loads: "${text}" is neither C@R nor CxN`);
  const count = wholeNumber(connections, "loads", 1, 1e6);
  const number = wholeNumber(amount, "loads", 1, 1e7);
  const closed = kind === "x";
  return {
    connections: count,
    title: `${count} connections, ${closed ? `${number} in flight` : `${number}/s`}`,
    words: closed ? `in-flight=${number}` : `rate=${number} tick-us=0`,
  };
}

/** The same server, with options for the Node that runs it. */
function withNodeOptions(server: Contender, options: readonly string[]): Contender {
  if (options.length === 0) return server;
  const command: Contender["command"] = (paths, workers) => {
    const [program = "", ...rest] = server.command(paths, workers);
    if (program === paths.node) return [program, ...options, ...rest];
    throw new UsageError(`--servers: ${server.name} takes no options, since Node does not run it`);
  };
  return { ...server, name: [server.name, ...options].join(" "), command };
}

/** The servers of these names that can run here; the others are named on standard error. */
function readServers(text: string): Contender[] {
  const paths = packagePaths();
  const servers = text.split(",").flatMap((words) => {
    const [name = "", ...options] = words.split(" ");
    const found = known.find((contender) => contender.name === name);
    if (found === undefined) {
      const names = known.map((contender) => contender.name).join(" ");
      throw new UsageError(`--servers: no server "${name}"; there are ${names}`);
    }
    const why = found.missing?.(paths) ?? found.prepare?.(paths) ?? null;
    if (why !== null) console.error(`paired-cost: without ${name}: ${why}`);
    return why === null ? [withNodeOptions(found, options)] : [];
  });
  if (servers.length < 2) throw new UsageError("--servers: two servers or more are needed");
  return servers;
}

async function measure(
  servers: readonly Contender[],
  { connections, words }: Load,
  { rounds, windowMs }: { readonly rounds: number; readonly windowMs: number },
): Promise<readonly Measured[]> {
  const measured = servers.map((contender) => new Measured(contender));
  const command = `ms=${windowMs} settle-ms=20 ${words}`;
  try {
    for (const one of measured) await one.start(connections);
    for (const one of measured) {
      for (let i = 0; i < WARM_UP_WINDOWS; i++) await one.window(command);
    }
    for (let i = 0; i < rounds; i++) {
      const order = i % 2 === 0 ? measured : measured.toReversed();
      for (const one of order) one.costsNs.push(await one.window(command));
    }
  } finally {
    for (const one of measured) one.end();
  }
  return measured;
}

/** A row per server, with the reference's microseconds and the ratios of the others. */
function table(loads: readonly Load[], columns: readonly (readonly Measured[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rowOf = ({ name }: Measured, row: number) => {
    const cells = columns.map((column) => {
      const [reference, one] = [column[0], column[row]];
      if (reference === undefined || one === undefined) return "";
      return row === 0 ? one.meanUs : one.ratioTo(reference);
    });
    return line([`\`${name}\``, ...cells]);
  };
  return [
    line(["server", ...loads.map(({ title }) => title)]),
    line(["---", ...loads.map(() => "---")]),
    ...(columns[0] ?? []).map(rowOf),
  ].join("\n");
}

async function main(argv: readonly string[]): Promise<number> {
  const given = readOptions(argv, rows);
  if (given === null) {
    console.log(optionLines(rows));
    return 0;
  }
  const loads = (given.get("loads") ?? USUAL_LOADS).split(",").map(readLoad);
  const rounds = wholeNumber(given.get("rounds") ?? "60", "rounds", 6, 1e7);
  const windowMs = wholeNumber(given.get("window-ms") ?? "250", "window-ms", 20, 1e7);
  const servers = readServers(given.get("servers") ?? "");
  const columns: (readonly Measured[])[] = [];
  for (const load of loads) columns.push(await measure(servers, load, { rounds, windowMs }));
  console.log(table(loads, columns));
  return 0;
}

exitOnSignals();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`paired-cost: ${error.message}`);
  process.exitCode = 2;
}
