// The words of --count-calls: system calls per message by name, the most frequent first.

import type { CallCounts } from "../model/call-counts.ts";
import type { Cell, Results } from "../model/results.ts";
import type { ChartTable, TableValue } from "./charts/chart.ts";
import { absent, count, enumerate, significant } from "./format.ts";

export type CountedCell = Cell & { readonly callCounts: CallCounts };

/** Those for which the pass ran. */
export function countedCells({ cells }: Results): CountedCell[] {
  return cells.filter((cell): cell is CountedCell => cell.callCounts !== undefined);
}

/** Rarer calls are named together, in a sentence and as a column. */
const rarest = 0.005;
const others = "others";

interface CallRate {
  readonly name: string;
  readonly perMessage: number;
}

/** The most frequent first. */
function ratesOf({ callCounts: { calls, messages } }: CountedCell): CallRate[] {
  if (messages === 0) return [];
  const all = Object.entries(calls).map(([name, number]) => ({
    name,
    perMessage: number / messages,
  }));
  const frequent = all.filter(({ perMessage }) => perMessage >= rarest);
  const rest = all.filter((rate) => !frequent.includes(rate));
  const perMessage = rest.reduce((sum, rate) => sum + rate.perMessage, 0);
  return [
    ...frequent.sort((one, other) => other.perMessage - one.perMessage),
    ...(perMessage >= rarest ? [{ name: others, perMessage }] : []),
  ];
}

/** "recvfrom 1.00, sendto 1.00 and epoll_wait 0.93 per message", or why there is no count. */
export function callSentence(cell: CountedCell): string {
  const { reason } = cell.callCounts;
  if (reason !== null) return `not counted: ${reason}`;
  const rates = ratesOf(cell).map(({ name, perMessage }) => `${name} ${significant(perMessage)}`);
  return rates.length === 0 ? "no calls" : `${enumerate(rates)} per message`;
}

/** A row per contender, a column per call that some of them make. */
export function callTable(cells: readonly CountedCell[]): ChartTable {
  const sound = cells.filter(({ callCounts }) => callCounts.reason === null);
  const rates = sound.map((cell) => ({ cell, byName: ratesOf(cell) }));
  const named = new Map<string, number>();
  for (const { name, perMessage } of rates.flatMap(({ byName }) => byName)) {
    if (name !== others) named.set(name, (named.get(name) ?? 0) + perMessage);
  }
  const names = [...named].sort(([, one], [, other]) => other - one).map(([name]) => name);
  const withOthers = rates.some(({ byName }) => byName.some(({ name }) => name === others));
  const columns = withOthers ? [...names, others] : names;
  return {
    columns: ["contender", ...columns, "all", "messages"],
    rows: rates.map(({ cell: { contender, callCounts }, byName }) => ({
      name: contender,
      values: [
        ...columns.map((name) => rateValue(byName.find((rate) => rate.name === name)?.perMessage)),
        rateValue(sumOf(callCounts) / callCounts.messages),
        { text: count(callCounts.messages), value: callCounts.messages },
      ],
    })),
  };
}

function rateValue(perMessage: number | undefined): TableValue {
  if (perMessage === undefined) return { text: absent };
  return { text: significant(perMessage), value: perMessage };
}

function sumOf({ calls }: CallCounts): number {
  return Object.values(calls).reduce((sum, number) => sum + number, 0);
}

/** What the table is of. */
export function callLead(cells: readonly CountedCell[]): string {
  const [first] = cells;
  if (first === undefined) return "";
  const { workload, connections } = first;
  const rate = cells.find(({ callCounts }) => callCounts.ratePerSecond !== null)?.callCounts
    .ratePerSecond;
  const pace = rate == null ? "" : `, ${count(rate)} messages/s`;
  return (
    "System calls per message by name, counted by strace in a separate pass after the rounds " +
    `(${workload}, ${count(connections)} connections${pace}). strace slows a server down, so the ` +
    "pass has a lower rate; waits per message can differ from those in the windows."
  );
}
