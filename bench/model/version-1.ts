// Raises results.json of schemaVersion 1 to the present schema. It derives what version 1 left to
// the reader: the runtime and the strategy from the names of its catalogue, the cause of a cell
// from the sentences that it wrote. No other file derives these from words.

import type { Cause, GateRule } from "./reasons.ts";
import type { Kind, Runtime } from "./runtimes.ts";
import { isRecord } from "./schema.ts";

/** The first parts of its contenders' names. */
const runtimeOfPrefix: Readonly<Record<string, Runtime>> = {
  ...{ cpp: "cpp", ts: "ts", node: "node" },
  // Contenders of workloads without echo servers: all of them are this library's.
  ...{ selector: "ts", signal: "ts", fifo: "ts", udp: "ts", unix: "ts", zeromq: "ts", store: "ts" },
};

/** Anything that is not an object with cells is left for the schema to refuse. */
export function raiseVersion1(results: Readonly<Record<string, unknown>>): unknown {
  const cells = results["cells"];
  if (!Array.isArray(cells)) return { ...results, schemaVersion: 2 };
  return { ...results, schemaVersion: 2, cells: cells.map(raiseCell) };
}

function raiseCell(cell: unknown): unknown {
  if (!isRecord(cell) || typeof cell["contender"] !== "string") return cell;
  const reason = cell["reason"];
  const cause = typeof reason === "string" ? causeOf(reason) : undefined;
  return { ...cell, ...kindOf(cell["contender"]), ...(cause === undefined ? {} : { cause }) };
}

/** A name without a colon was a server that is not of the suite, such as `target`. */
export function kindOf(contender: string): Kind {
  const colon = contender.indexOf(":");
  const prefix = contender.slice(0, Math.max(0, colon));
  return { runtime: runtimeOfPrefix[prefix] ?? "foreign", strategy: contender.slice(colon + 1) };
}

const sentences: readonly (readonly [RegExp, (groups: readonly string[]) => Cause])[] = [
  [
    /^(\d+) of (\d+) blocks dropped(?:: (.*))?$/,
    ([blocks, planned, parts]) => ({
      ...{ code: "disturbed", blocks: Number(blocks), planned: Number(planned) },
      ...disturbances(parts ?? ""),
    }),
  ],
  [
    /^interrupted after (\d+) of (\d+) blocks$/,
    ([blocks, planned]) => ({
      ...{ code: "interrupted", blocks: Number(blocks), planned: Number(planned) },
    }),
  ],
  [
    /^at least ([\d,]+) messages\/s, limited by the client: .*? (\d+) % .*? (\d+) %$/,
    ([rate = "", server, client]) => ({
      code: "load-generator-full",
      throughput: Number(rate.replaceAll(",", "")),
      serverPercent: Number(server),
      clientPercent: Number(client),
    }),
  ],
  [
    /^(.+?) (\d+) < (\d+) needed; to lift it: (.*)$/,
    ([limit = "", allowed, needed, command = ""]) => ({
      ...{ code: "limit", limit, allowed: Number(allowed), needed: Number(needed), command },
    }),
  ],
];

function causeOf(reason: string): Cause {
  for (const [pattern, cause] of sentences) {
    const found = pattern.exec(reason);
    if (found !== null) return cause(found.slice(1));
  }
  return { code: "said", text: reason };
}

/** Its words for the rules, which later versions changed; as regular expressions. */
const ruleWords: readonly (readonly [GateRule, string])[] = [
  ["server-waited", "the server waited for its CPU"],
  ["client-waited", "the load generator waited for its CPU"],
  ["stolen", "the hypervisor took CPU time"],
  ["rate", "the rate was missed"],
  ["late", "messages l[e]ft late"],
  ["late", "the load generator sent late"],
  ["full", "the server's CPU was full before it bore the rate"],
  ["clients-full", "limited by the clients: an agent could not do more, or not in time"],
];

function disturbances(parts: string): Omit<Extract<Cause, { code: "disturbed" }>, BlockFields> {
  const rules: { rule: GateRule; windows: number }[] = [];
  for (const [rule, words] of ruleWords) {
    const found = new RegExp(`${words} \\((\\d+)`).exec(parts);
    if (found !== null) rules.push({ rule, windows: Number(found[1]) });
  }
  const [, reference = "", unpaired = 0] = /([^ ]+) was disturbed \((\d+)/.exec(parts) ?? [];
  rules.sort((one, other) => other.windows - one.windows);
  return { rules, reference, unpaired: Number(unpaired) };
}

type BlockFields = "code" | "blocks" | "planned";
