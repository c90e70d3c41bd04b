// What is measured, as data: the cases, each a process of its own in both languages, the operations
// that one measures, and what is promised of them. The native half of each case is in
// native/micro/main.cc.

import type { BackendName } from "../../src/index.ts";

/** What a figure is held against; each is a number that should be `limit` or less. */
export type Target =
  /** TypeScript's nanoseconds as a multiple of the baseline's. */
  | { readonly kind: "ratio"; readonly limit: number }
  /** Nanoseconds beyond the baseline's, for each of so many events. */
  | { readonly kind: "added"; readonly limit: number; readonly events: number }
  /** The same operation of another case, of which this one is a multiple. */
  | { readonly kind: "flat"; readonly limit: number; readonly against: string };

export interface Operation {
  readonly name: string;
  readonly title: string;
  readonly target?: Target;
}

export interface Case {
  readonly name: string;
  /** Which has to work here; null if none need. */
  readonly backend: BackendName | null;
  readonly operations: readonly Operation[];
  /** Whether micro-baseline has it, too. */
  readonly hasBaseline: boolean;
}

/** What a wait case sets up: one descriptor of `backend` that is ready, beside `idle` others. */
interface WaitCase {
  readonly backend: BackendName;
  readonly idle: number;
}

export const readySockets = 64;
export const payloadBytes = 64;

const waitBackends: readonly BackendName[] = ["epoll", "io_uring", "kqueue", "poll", "select"];
const idleCounts = [100, 1000, 10_000] as const;
/** Whose waits do not depend on how many are idle. */
const flatBackends: readonly BackendName[] = ["epoll"];

export const cases: readonly Case[] = [
  {
    name: "ready-64",
    backend: "epoll",
    operations: [
      {
        name: "poll",
        title: `poll(0) and each readyKey, readyEvents: ${readySockets} ready`,
        target: { kind: "added", limit: 10, events: readySockets },
      },
      { name: "select", title: `select(0): ${readySockets} ready` },
    ],
    hasBaseline: true,
  },
  {
    name: "register-unregister",
    backend: "epoll",
    operations: [
      {
        name: "register",
        title: "register and unregister",
        target: { kind: "ratio", limit: 1.3 },
      },
    ],
    hasBaseline: true,
  },
  {
    name: "modify",
    backend: "epoll",
    operations: [{ name: "modify", title: "modify" }],
    hasBaseline: true,
  },
  {
    name: "transfer-64",
    backend: null,
    operations: [{ name: "transfer", title: `send and recv ${payloadBytes} B, socket pair` }],
    hasBaseline: true,
  },
  {
    name: "crossing",
    backend: null,
    operations: [{ name: "fileno", title: "fileno(): a crossing, no system call" }],
    hasBaseline: false,
  },
  ...waitBackends.flatMap((backend) => idleCounts.map((idle) => waitCase({ backend, idle }))),
];

/** The cases that need none but these backends. */
export function casesFor(backends: readonly BackendName[]): readonly Case[] {
  return cases.filter(({ backend }) => backend === null || backends.includes(backend));
}

export function findCase(name: string): Case | undefined {
  return cases.find((row) => row.name === name);
}

/** The set-up that a wait case's name tells of; undefined for other cases. */
export function parseWaitCase(name: string): WaitCase | undefined {
  for (const backend of waitBackends) {
    for (const idle of idleCounts) if (nameOf({ backend, idle }) === name) return { backend, idle };
  }
  return undefined;
}

function nameOf({ backend, idle }: WaitCase): string {
  return `wait-${backend}-${idle}`;
}

function waitCase({ backend, idle }: WaitCase): Case {
  const smallest = idleCounts[0];
  const target =
    flatBackends.includes(backend) && idle !== smallest
      ? { kind: "flat" as const, limit: 1.1, against: nameOf({ backend, idle: smallest }) }
      : undefined;
  const operation = (name: string, call: string): Operation => ({
    name,
    title: `${backend}: ${call}, 1 ready, ${idle.toLocaleString("en")} idle`,
    ...(target && { target }),
  });
  return {
    name: nameOf({ backend, idle }),
    backend,
    operations: [
      operation("poll", "poll(0)"),
      operation("select", "select(0)"),
      operation("handleEvents", "handleEvents(0)"),
    ],
    hasBaseline: true,
  };
}
