// That servers do per call what the report says they do: each runs under strace(1), is stopped
// until more connections wait than one wake may accept, and goes on. Skipped by name if strace is
// missing.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { contenders } from "../bench/contenders/catalogue.ts";
import { BACKLOG, commonSettings } from "../bench/contenders/settings.ts";
import { packagePaths } from "../bench/paths.ts";
import { childrenOf, killProcess } from "./bench-processes.ts";

/** More than any server accepts at once. */
const CONNECTIONS = 300;
const waits = "epoll_wait,epoll_pwait,epoll_pwait2,poll,ppoll,select,pselect6";
const traced = `listen,accept,accept4,close,recvfrom,read,${waits}`;

/** Contenders whose waits have a most that a trace shows. */
const waitsWithEpoll = /epoll|prefork|^node:/;

const canTrace = process.platform === "linux" && runsUnder();
/** What is not traced then costs nothing. strace(1), since 5.3 */
const filter = ["--seccomp-bpf"];
const fast = canTrace && runsUnder(...filter) ? filter : [];

function runsUnder(...words: readonly string[]): boolean {
  const trace = ["-f", "-qq", ...words, "-e", `trace=${traced}`, "-o", "/dev/null", "true"];
  return spawnSync("strace", trace).status === 0;
}

/** A server under strace. */
class Traced {
  readonly #folder = mkdtempSync(join(tmpdir(), "io-selectors-trace-"));
  readonly #child: ChildProcess;
  pid = 0;
  port = 0;

  constructor(argv: readonly string[]) {
    const words = ["-f", "-qq", "-s", "0", "-e", `trace=${traced}`, "-e", "signal=none"];
    const output = ["-o", join(this.#folder, "trace")];
    this.#child = spawn("strace", [...fast, ...words, ...output, "--", ...argv], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  }

  async ready(): Promise<void> {
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream });
    const [line] = (await once(lines, "line")) as [string];
    Object.assign(this, JSON.parse(line));
  }

  get #processes(): number[] {
    return [this.pid, ...childrenOf(this.pid)];
  }

  signal(signal: NodeJS.Signals): void {
    for (const pid of this.#processes) killProcess(pid, signal);
  }

  /** Ends it. @returns the lines of the trace. */
  async end(): Promise<string[]> {
    killProcess(this.pid, "SIGTERM");
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    return readFileSync(join(this.#folder, "trace"), "latin1").split("\n");
  }

  remove(): void {
    this.#child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function echoed(socket: Socket): Promise<void> {
  socket.write("x");
  await once(socket, "data");
}

/** What the trace shows of each setting. */
interface Observed {
  readonly mostAccepts: number;
  readonly reads: readonly number[];
  readonly events: readonly number[];
  /** Of the listeners that connections came from. */
  readonly backlogs: readonly number[];
}

function observe(lines: readonly string[]): Observed {
  const runs = new Map<string, number>();
  const accepted = new Set<string>();
  const backlogOf = new Map<string, number>();
  const [reads, events, backlogs] = [new Set<number>(), new Set<number>(), new Set<number>()];
  let mostAccepts = 0;
  for (const line of joined(lines)) {
    const [, thread = "", call = "", rest = ""] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? [];
    const fd = /^\d+/.exec(rest)?.[0] ?? "";
    if (call.startsWith("accept")) {
      const [, taken] = / = (\d+)$/.exec(rest) ?? [];
      if (taken === undefined) continue;
      accepted.add(taken);
      backlogs.add(backlogOf.get(fd) ?? 0);
      runs.set(thread, (runs.get(thread) ?? 0) + 1);
      mostAccepts = Math.max(mostAccepts, runs.get(thread) ?? 0);
      continue;
    }
    if (call === "close") accepted.delete(fd);
    if (call === "listen") backlogOf.set(fd, Number(/, (\d+)\)/.exec(rest)?.[1]));
    const size = Number(/"(?:\.\.\.)?, (\d+)[,)]/.exec(rest)?.[1]);
    if ((call === "read" || call === "recvfrom") && accepted.has(fd) && size > 0) reads.add(size);
    if (call.startsWith("epoll_")) events.add(Number(/[\]}], (\d+), /.exec(rest)?.[1] ?? 0));
    if (call === "read" || call === "recvfrom" || waits.split(",").includes(call)) {
      runs.set(thread, 0);
    }
  }
  return { mostAccepts, reads: [...reads], events: [...events], backlogs: [...backlogs] };
}

/** Calls that strace wrote in two lines, because another thread came between, as one. */
function joined(lines: readonly string[]): string[] {
  const begun = new Map<string, string>();
  return lines.flatMap((line) => {
    const [thread = ""] = line.split(" ");
    const [before] = line.split(" <unfinished ...>");
    if (before !== line) {
      begun.set(thread, before ?? "");
      return [];
    }
    const [, end] = / resumed>(.*)$/.exec(line) ?? [];
    return [end === undefined ? line : `${begun.get(thread) ?? ""}${end}`];
  });
}

const rows = contenders.filter(
  ({ name, platforms }) => platforms.includes("linux") && !name.endsWith("io_uring"),
);

describe.skipIf(!canTrace)("what a server does per call", () => {
  it.each(rows)("is what the report says: $name", { timeout: 60_000 }, async (row) => {
    const server = new Traced(row.command(packagePaths(), 1));
    try {
      await server.ready();
      server.signal("SIGSTOP");
      const sockets = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => open(server.port)),
      );
      const all = Promise.all(sockets.map(echoed));
      server.signal("SIGCONT");
      await all;
      for (const socket of sockets) socket.destroy();
      const observed = observe(await server.end());
      const settings = { ...commonSettings, ...row.settings };
      expect(observed.mostAccepts).toBe(settings.acceptsPerWake);
      expect(observed.reads).toEqual([settings.readBufferBytes]);
      expect(observed.backlogs).toEqual([BACKLOG]);
      // select(2) and poll(2) are given no most; Node's own loop waits in those servers, too.
      if (waitsWithEpoll.test(row.name)) {
        expect(observed.events).toContain(settings.eventsPerWait);
      }
    } finally {
      server.remove();
    }
  });
});
