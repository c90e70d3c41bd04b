// What the report warns of, in words: one sentence per code.

import { runtimeRow } from "../model/runtimes.ts";
import { type Caution, enoughBlocks } from "./cautions.ts";
import { count, duration, percent, plainLine } from "./format.ts";
import { enumerated, joined, namesOf, type Sentence, say } from "./sentence.ts";

const overRate = "Saturated, so the cost per message is the core divided by the rate:";

type CautionOf<C extends Caution["code"]> = Extract<Caution, { readonly code: C }>;

const cautionWords: { readonly [C in Caution["code"]]: (caution: CautionOf<C>) => Sentence } = {
  interrupted: () => say`The run was interrupted: this is what was measured until then.`,
  "one-core": () =>
    say`Server and load generator shared the only core and delayed each other: measure on two.`,
  "one-block": () => say`One block gives no interval, so nothing is ranked.`,
  "limited-by-clients": ({ agents }) =>
    say`Limited by the load generator: saturated, or sent late: ${agents.join(", ")}.`,
  "machine-faults": ({ faults }) => [plainLine(faults.join("; "))],
  hurried: ({ shortened, abandoned }) => {
    const done = [
      ...(shortened > 0 ? [say`left windows out of ${blocks(shortened)}`] : []),
      ...(abandoned > 0 ? [say`abandoned ${blocks(abandoned)}`] : []),
    ];
    return say`Blocks took longer than planned. To end in time, the run ${enumerated(done)}.`;
  },
  "few-blocks": ({ blocks, coverage, ratios }) =>
    joined(
      [
        say`With ${blocks} blocks an interval${ratios ? "" : " of anything but a ratio"} covers`,
        say`the true value at most`,
        say`${percent(coverage)} % of the time, not 95 %; use ${enoughBlocks} or more.`,
      ],
      " ",
    ),
  "windows-discarded": ({ cells }) =>
    say`Discarded windows: ${joined(
      cells.map((cell) => say`${{ name: cell.contender }} ${count(cell.dropped)}`),
      ", ",
    )}.`,
  "not-ranked": ({ cells }) => say`Not ranked: ${namesOf(cells)}.`,
  "machine-busy": () => [
    "Other programs kept the CPUs busy: measure again when the machine is quiet; " +
      "npm run bench -- doctor lists what disturbs it.",
  ],
  polls: ({ cells }) => say`Busy polling uses a whole core at any load: ${namesOf(cells)}.`,
  "failed-afterwards": ({ cells }) => [
    "Failed after the last window, so the figures stand: " +
      `${cells.map(({ contender, afterwards }) => `${contender}: ${afterwards}`).join("; ")}.`,
  ],
  saturated: ({ cells }) => say`${overRate} ${namesOf(cells)}.`,
  "sent-late": ({ cells, share, delayUs }) =>
    joined(
      [
        say`The sender delay (p99 up to ${duration(delayUs)}) is over ${count(100 * share)} % of`,
        say`the p99 of ${namesOf(cells)}; "p99 uncorrected" does not contain it.`,
      ],
      " ",
    ),
  engine: ({ engine, runtimes }) => {
    const prefixes = runtimes.filter((name) => runtimeRow(name).prefix !== false);
    const others = runtimes.filter((name) => !prefixes.includes(name));
    const rows = [
      ...(prefixes.length === 0
        ? []
        : [say`${enumerated(prefixes.map((name) => [`${name}:`]))} rows`]),
      ...others.map((name) => say`Rows of ${runtimeRow(name).title}`),
    ];
    return say`${enumerated(rows)} include their ${engine} runtime.`;
  },
};

function blocks(number: number): string {
  return number === 1 ? "1 block" : `${count(number)} blocks`;
}

export function cautionSentence<C extends Caution["code"]>(caution: CautionOf<C>): Sentence {
  return cautionWords[caution.code as C](caution);
}
