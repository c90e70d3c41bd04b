// A server that is not part of the suite, started by a shell command, announced once it listens.

import { type Contender, unix } from "./catalogue.ts";

/** What the announcer needs beyond the server's own time: to start, and to report. */
const announcerMs = 10_000;

interface ForeignCommand {
  readonly name: string;
  /** With {port}, which becomes a free one. */
  readonly command: string;
  /** How long it may take to listen. */
  readonly readySeconds: number;
  /** The load generator's arguments of its protocol. */
  readonly spoken: readonly string[];
}

/** What every server of others is: one of which nothing is known but its name. */
export function foreignContender(name: string, spoken: readonly string[]) {
  return {
    name,
    runtime: "foreign",
    strategy: "unknown",
    concurrency: "single",
    // It may run on another machine than this one.
    platforms: unix,
    spoken,
  } as const;
}

export function startedByCommand(server: ForeignCommand): Contender {
  const { name, command, readySeconds, spoken } = server;
  return {
    ...foreignContender(name, spoken),
    command: ({ node, announce }) => [node, announce, "command", command, String(readySeconds)],
    summary: command,
    readyWithinMs: readySeconds * 1000 + announcerMs,
  };
}
