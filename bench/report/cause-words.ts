// The sentence of cause of each contender: what its strategy does per message, with the figures
// that its cell measured. A figure that was not measured is left out, and so is its clause.

import type { Waiting, Why } from "./causes.ts";
import { count, enumerate, significant } from "./format.ts";
import { sizeText } from "./metric-words.ts";
import { reasonOf } from "./words.ts";

/** One sentence; the reason if nothing was measured. */
export function causeText(why: Why): string {
  const { cell, figures, saturated } = why;
  if (figures.cpu === undefined) return `Not measured: ${reasonOf(cell)}.`;
  const lead = leads[why.waiting](why);
  const seen = parts[why.waiting].flatMap((part) => partText[part](why) ?? []);
  const told = seen.length > 0 ? seen : [`${significant(figures.cpu)} µs of CPU per message`];
  const full = saturated ? ", which saturates its core at this rate" : "";
  return `${lead}: ${enumerate(told)}${full}.`;
}

const everyOne = ({ cell }: Why) => `all ${sizeText(cell.workload, cell.connections)}`;

const leads: { readonly [W in Waiting]: (why: Why) => string } = {
  scans: ({ call, cell, figures: { eventsPerWait } }) => {
    const found =
      eventsPerWait === undefined
        ? "those that are ready"
        : `${significant(eventsPerWait)} that are ready`;
    return `Each ${call} checks ${count(cell.connections)} descriptors to find ${found}`;
  },
  asks: (why) => `Calls ${why.call} on ${everyOne(why)} in turn, whether or not they have data`,
  blocks: ({ what }) => `The scheduler picks the reader, with ${what}`,
  told: ({ call }) => `${call} returns only the descriptors that are ready`,
  completes: ({ call }) => `Reads and writes are queued, and ${call} returns those that are done`,
  streams: () => "libuv waits, and each message passes through a stream, a callback and a write",
  "calls-back": ({ call }) => `${call} waits, and calls or resumes the server's code per message`,
  unknown: () => "How it waits is not known",
};

type Clause = "looks" | "calls" | "events" | "switches" | "user" | "cpu";

/** What is told of each, in order, if it was measured. */
const parts: Readonly<Record<Waiting, readonly Clause[]>> = {
  scans: ["looks"],
  asks: ["calls"],
  blocks: ["switches", "calls"],
  told: ["events", "calls", "user"],
  completes: ["events", "calls", "user"],
  streams: ["cpu", "user"],
  "calls-back": ["cpu", "user", "switches"],
  unknown: ["cpu", "user", "switches"],
};

const partText: { readonly [P in Clause]: (why: Why) => string | undefined } = {
  looks: ({ figures: { looks } }) => per(looks, "descriptors checked per message"),
  calls: ({ figures: { calls } }) => per(calls, "system calls per message"),
  events: ({ figures: { eventsPerWait } }) => per(eventsPerWait, "events per wait"),
  switches: ({ figures: { switches } }) => per(switches, "context switches per message"),
  cpu: ({ figures: { cpu } }) => per(cpu, "µs of CPU per message"),
  user: ({ figures: { userShare } }) =>
    userShare === undefined
      ? undefined
      : `${significant(userShare)} % of its CPU time in user mode`,
};

function per(value: number | undefined, what: string): string | undefined {
  return value === undefined ? undefined : `${significant(value)} ${what}`;
}
