// The words of a profile of CPU time: its categories, and the shares of one contender.

import { type CpuProfile, type TimeCategory, timeCategories } from "../model/cpu-profile.ts";
import type { ChartTable } from "./charts/chart.ts";
import { absent, count, enumerate } from "./format.ts";

interface CategoryWords {
  /** In a sentence, and at the head of a column. */
  readonly name: string;
  readonly meaning: string;
}

const categoryWords: { readonly [C in TimeCategory]: CategoryWords } = {
  waiting: {
    name: "waiting",
    meaning: "epoll_wait, poll, select and their like: asking, going to sleep and being woken",
  },
  receiving: { name: "receiving", meaning: "recv, read and their like" },
  sending: {
    name: "sending",
    meaning: "send, write and their like, with the delivery that they do on the loopback device",
  },
  accepting: { name: "accepting", meaning: "accept" },
  otherCalls: { name: "other system calls", meaning: "epoll_ctl, close and all others" },
  crossing: {
    name: "entering and leaving the kernel",
    meaning: "between the program and its system call",
  },
  scheduling: {
    name: "scheduling",
    meaning: "changing to another thread outside a call that waits; futex",
  },
  interrupts: { name: "interrupts", meaning: "timers and devices that interrupted the program" },
  memory: { name: "memory", meaning: "page faults, mmap and their like" },
  own: { name: "the server's own code", meaning: "its program, its scripts and its addons" },
  runtime: { name: "the runtime", meaning: "V8 and Node, or another language's engine" },
  libraries: { name: "libraries", meaning: "libc and other shared libraries" },
};

interface TimeShare {
  readonly category: TimeCategory;
  readonly percent: number;
}

/** Those with samples, the largest first. */
function sharesOf({ shares, samples }: CpuProfile): TimeShare[] {
  return timeCategories
    .map((category) => ({ category, percent: percentOf(shares[category] ?? 0, samples) }))
    .filter(({ percent }) => percent > 0)
    .sort((one, other) => other.percent - one.percent);
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}

/** "48.1 %": a share has no more digits than its samples warrant. */
export function shareText(percent: number): string {
  return `${percent.toFixed(percent >= 9.95 ? 0 : 1)} %`;
}

/** In a terminal's line: the largest shares. */
const named = 4;

/** "sending 48 %, waiting 20 % and receiving 12 %", or why there is no profile. */
export function shareSentence(profile: CpuProfile): string {
  if (profile.reason !== null) return `no profile: ${profile.reason}`;
  const largest = sharesOf(profile).slice(0, named);
  return enumerate(
    largest.map(({ category, percent }) => `${categoryWords[category].name} ${shareText(percent)}`),
  );
}

/** A row per contender, a column per category that some have. */
export function shareTable(profiles: readonly CpuProfile[]): ChartTable {
  const sound = profiles.filter(({ reason }) => reason === null);
  const shown = timeCategories.filter((one) => sound.some(({ shares }) => (shares[one] ?? 0) > 0));
  return {
    columns: ["contender", ...shown.map((one) => `${categoryWords[one].name}, %`), "samples"],
    rows: sound.map(({ contender, shares, samples }) => ({
      name: contender,
      values: [
        ...shown.map((category) => {
          const part = shares[category];
          if (part === undefined) return { text: absent };
          const value = percentOf(part, samples);
          return { text: value.toFixed(value >= 9.95 ? 0 : 1), value };
        }),
        { text: count(samples), value: samples },
      ],
    })),
  };
}

/** What the table and the graphs are of. */
export function profileLead(profiles: readonly CpuProfile[]): string {
  const [first] = profiles;
  if (first === undefined) return "";
  const { workload, connections, samplesPerSecond, seconds } = first;
  return (
    `Where CPU time goes, from a separate pass of ${seconds} s per contender after the rounds ` +
    `(${workload}, ${count(connections)} connections, ${count(samplesPerSecond)} samples per ` +
    "second of CPU time). The outermost system call decides the category."
  );
}
