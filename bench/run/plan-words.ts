// A plan in words: what runs, how often, and for how long.

import { thousands } from "../host/diagnosis.ts";
import { blocksForInterval } from "../statistics/bootstrap.ts";
import { canBeHeld } from "./load-arguments.ts";
import { estimateSeconds, type Part, type Plan, type Scenario } from "./plan.ts";
import type { Blocks } from "./profiles.ts";

/** What the user should know before it starts: what runs, how often, and for how long. */
export function describePlan(plan: Plan): string[] {
  const { windows, windowMs } = plan.timing;
  const lines = describeParts(plan.parts).map((line) => `${plan.profile}: ${line}`);
  lines.push(
    `${count(plan.contenders.length, "contender")}, ${describeBlocks(plan.blocks)}, ` +
      `${count(windows, "window")} of ${windowMs} ms per round; ` +
      describeTime(plan),
  );
  const few = new Set(plan.parts.flatMap(comparedWithFewBlocks));
  if (few.size > 0) {
    const which = [...few].join(", ");
    lines.push(`fewer than ${blocksForInterval} blocks: ${which} (intervals cover less than 95 %)`);
  }
  return lines;
}

function comparedWithFewBlocks({ scenarios, blocks }: Part): string[] {
  if (blocks.maximum >= blocksForInterval) return [];
  // Interleaved windows have Student's interval, which covers what it says with any number.
  const compared = scenarios.filter(
    ({ workload, load }) => workload.comparesToReference && !canBeHeld(load),
  );
  return compared.map(({ workload }) => workload.name);
}

/** Parts of a workload that differ only in how many connections there are share a line. */
function describeParts(parts: readonly Part[]): string[] {
  const sizesOf = new Map<string, { readonly words: PartWords; readonly sizes: number[] }>();
  for (const { scenarios } of parts) {
    const words = wordsOf(scenarios);
    const key = JSON.stringify(words);
    const line = sizesOf.get(key) ?? { words, sizes: [] };
    sizesOf.set(key, line);
    line.sizes.push(Math.max(...scenarios.map(({ load }) => load.connections)));
  }
  return [...sizesOf.values()].map(({ words: { name, counted, load }, sizes }) => {
    const most = sizes.pop() ?? 0;
    const fewer = sizes.map(thousands).join(", ");
    return `${name}, ${fewer === "" ? "" : `${fewer} and `}${count(most, ...counted)}${load}`;
  });
}

/** What of a part is said, but how many there are. */
interface PartWords {
  readonly name: string;
  readonly counted: readonly [one: string, several: string];
  readonly load: string;
}

function wordsOf(scenarios: readonly Scenario[]): PartWords {
  const [first] = scenarios;
  if (first === undefined)
    return { name: "nothing", counted: ["connection", "connections"], load: "" };
  const { workload, load, ratePerSecond } = first;
  const rate = ratePerSecond === null ? "" : `, ${thousands(ratePerSecond)} messages/s`;
  const variants = scenarios.map(({ variant }) => variant).filter((name) => name !== null);
  const which = variants.length === 0 ? "" : ` (${variants.join("; ")})`;
  const bytes = load.payloadBytes === 0 ? "" : `, ${thousands(load.payloadBytes)}-byte messages`;
  return {
    name: workload.name,
    counted: workload.counted ?? ["connection", "connections"],
    load: `${bytes}${rate}${which}`,
  };
}

function describeBlocks({ minimum, maximum }: Blocks): string {
  return minimum === maximum ? count(minimum, "block") : `${minimum} to ${maximum} blocks`;
}

/** "about 50 s, 57 s at most", or for how long disturbed blocks are made up for. */
function describeTime({ parts, budget }: Plan): string {
  const whole = `about ${describeSeconds(estimateSeconds({ parts }))}`;
  if (budget === undefined) return whole;
  const time = describeSeconds(budget.seconds);
  if (!budget.bindsPlanned) return `${whole}, up to ${time} if blocks are disturbed`;
  const single = parts.map((part) => ({ ...part, blocks: { minimum: 1, maximum: 1 } }));
  const first = estimateSeconds({ parts: single });
  if (first <= budget.seconds) return `${whole}, ${time} at most`;
  return `about ${describeSeconds(first)}: the first block always runs, the budget is ${time}`;
}

function describeSeconds(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 90 ? `${minutes.toFixed(1)} minutes` : `${(minutes / 60).toFixed(1)} hours`;
}

function count(number: number, one: string, several = `${one}s`): string {
  return `${thousands(number)} ${number === 1 ? one : several}`;
}
