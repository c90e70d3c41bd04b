// What servers cost per message, in units of the first one. All run at once, and the load turns
// from one to the next within a fraction of a second, so that what slows the machine slows all.
// node --import ./test/typescript.mjs test/programs/paired-cost.ts --servers A,B [options]

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { contenders } from "../../bench/contenders/catalogue.ts";
import { packagePaths } from "../../bench/paths.ts";
import { hodgesLehmann } from "../../bench/statistics/hodges-lehmann.ts";
import { exitOnSignals } from "./exit-on-signals.ts";
import { type OptionRow, optionLines, readOptions, UsageError, wholeNumber } from "./options.ts";

const rows: readonly OptionRow[] = [
  { name: "servers", value: "A,B", help: "contenders, the reference first" },
  { name: "connections", value: "N", help: "100 unless given" },
  {
    name: "rate",
    value: "N",
    help: "messages/s at random times, 20000 unless given; 0: --in-flight",
  },
  { name: "in-flight", value: "N", help: "messages under way of a closed loop; 64 unless given" },
  { name: "rounds", value: "N", help: "windows of each server; 60 unless given" },
  { name: "window-ms", value: "N", help: "250 unless given" },
];

const CONFIDENCE = 0.95;
const WARM_UP_WINDOWS = 6;

class Measured {
  readonly name: string;
  readonly costsNs: number[] = [];
  readonly #children: ChildProcess[] = [];
  #answers: AsyncIterator<string> | null = null;
  #generator: ChildProcess | null = null;

  constructor(name: string) {
    this.name = name;
  }

  async start(connections: number): Promise<void> {
    const paths = packagePaths();
    const found = contenders.find(({ name }) => name === this.name);
    if (found === undefined) throw new UsageError(`--servers: no contender "${this.name}"`);
    const server = this.#spawn(found.command(paths, 1));
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

function report(measured: readonly Measured[]): void {
  const reference = measured[0]?.costsNs ?? [];
  for (const { name, costsNs } of measured) {
    const logs = costsNs.map((cost, i) => Math.log(cost / (reference[i] ?? Number.NaN)));
    const shift = hodgesLehmann(logs, CONFIDENCE);
    if (shift === null) continue;
    const [ratio, low, high] = [shift.estimate, shift.low, shift.high].map((log) =>
      Math.exp(log).toFixed(3),
    );
    const meanUs = costsNs.reduce((sum, cost) => sum + cost, 0) / costsNs.length / 1000;
    console.log(`${name.padEnd(26)} ${ratio} (${low} to ${high})  ${meanUs.toFixed(2)} µs/message`);
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const given = readOptions(argv, rows);
  if (given === null) {
    console.log(optionLines(rows));
    return 0;
  }
  const whole = (name: string, unlessGiven: number, low: number) =>
    wholeNumber(given.get(name) ?? String(unlessGiven), name, low, 1e7);
  const names = (given.get("servers") ?? "").split(",");
  if (names.length < 2) throw new UsageError("--servers: two names or more are needed");
  const rate = whole("rate", 20_000, 0);
  const load = rate > 0 ? `rate=${rate} tick-us=0` : `in-flight=${whole("in-flight", 64, 1)}`;
  const words = `ms=${whole("window-ms", 250, 20)} settle-ms=20 ${load}`;
  const rounds = whole("rounds", 60, 6);
  const measured = names.map((name) => new Measured(name));
  try {
    for (const one of measured) await one.start(whole("connections", 100, 1));
    for (const one of measured) {
      for (let i = 0; i < WARM_UP_WINDOWS; i++) await one.window(words);
    }
    for (let i = 0; i < rounds; i++) {
      const order = i % 2 === 0 ? measured : measured.toReversed();
      for (const one of order) one.costsNs.push(await one.window(words));
    }
  } finally {
    for (const one of measured) one.end();
  }
  report(measured);
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
