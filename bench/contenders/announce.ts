// Makes a contender of any server: node announce.js command 'CMD {port}' [SECONDS], or node
// announce.js attach PORT PID, or node announce.js cgroup PORT FOLDER. Starts the command with a
// free port and prints our ready line once something listens there, within so many seconds; or
// prints it for a server that runs already. SIGTERM ends everything that was started here, and
// nothing else.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { packagePaths } from "../paths.ts";
import { freePort } from "./free-port.ts";
import {
  heldBy,
  holderOf,
  listeningOf,
  listeningSockets,
  ownerOf,
  processTree,
} from "./listening-socket.ts";

const askAgainMs = 20;
/** A pause is this many times as long as the look before it: the server needs the CPU. */
const lookPause = 10;
/** A look that a busy machine held up for a second does not cost the server its deadline. */
const longestPauseMs = 250;
/** From SIGTERM to SIGKILL. */
const goodbyeMs = 2_000;

const [how = "", ...rest] = process.argv.slice(2);
// A pending wait for a signal would keep the process alive, and no signal may come any more.
const ways: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = {
  attach,
  cgroup,
  command: start,
};
process.exit((await ways[how]?.(rest)) ?? 2);

/** The processes of a control group: a container or a systemd unit. cgroups(7) */
async function cgroup([port = "", folder = ""]: readonly string[]): Promise<number> {
  const first = serverAmong(processesOf(folder), Number(port));
  const empty = first === undefined ? `no process is in ${folder}` : null;
  const silent = (await listens(Number(port))) ? null : `nothing listens on 127.0.0.1:${port}`;
  const problem = empty ?? silent;
  if (problem !== null || first === undefined) {
    console.error(problem);
    return 1;
  }
  announce(Number(port), first);
  await terminated();
  return 0;
}

/** The oldest that holds the listening socket, as far as that can be seen; else the oldest. */
function serverAmong(pids: readonly number[], port: number): number | undefined {
  const inodes = listeningSockets(port)?.map(({ inode }) => inode) ?? [];
  return pids.find((pid) => (heldBy([pid], inodes)?.size ?? 0) > 0) ?? pids[0];
}

/** The processes of a control group and the groups below it, the oldest first. */
function processesOf(folder: string): number[] {
  try {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true });
    const lists = files.filter(({ name }) => name === "cgroup.procs");
    const texts = lists.map(({ parentPath, name }) =>
      readFileSync(`${parentPath}/${name}`, "latin1"),
    );
    return texts
      .join("\n")
      .split("\n")
      .map(Number)
      .filter((pid) => pid > 0)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** A process that was not started here: it is measured, never signalled. */
async function attach([port = "", pid = ""]: readonly string[]): Promise<number> {
  const problem = await cannotAttach(Number(port), Number(pid));
  if (problem !== null) {
    console.error(problem);
    return 1;
  }
  announce(Number(port), Number(pid));
  await terminated();
  return 0;
}

/** Null if that process, or a descendant, serves the port, as far as the platform lets us see. */
async function cannotAttach(port: number, pid: number): Promise<string | null> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EPERM") return `process ${pid}: ${message}`; // EPERM: another user's
  }
  if (!(await listens(port))) return `nothing listens on 127.0.0.1:${port}`;
  const sockets = listeningSockets(port);
  if (sockets === null) return null;
  const inodes = sockets.map(({ inode }) => inode);
  const tree = processTree(pid);
  const held = heldBy(tree, inodes);
  // Another user's descriptors are hidden; then the socket must at least be that user's.
  if (held === null && sockets.some(({ uid }) => uid === ownerOf(pid))) return null;
  if (held !== null && inodes.every((inode) => held.has(inode))) return null;
  const holder = holderOf(inodes, tree);
  const hint =
    holder === null ? `ss -ltnp 'sport = :${port}' shows its process` : `--pid ${holder}`;
  return (
    `process ${pid} is not the server of 127.0.0.1:${port}: ` +
    `neither it nor a child of it holds the listening socket; ${hint}`
  );
}

async function start([command = "", seconds = ""]: readonly string[]): Promise<number> {
  const deadline = performance.now() + 1000 * (Number(seconds) || Number.POSITIVE_INFINITY);
  const port = await freePort();
  const words = [
    "/bin/sh",
    "-c",
    command.replaceAll("{port}", String(port)).replaceAll("{host}", "127.0.0.1"),
  ];
  // It ends with the last process of the command, daemons included; and all of them end at the end
  // of its standard input, however we end.
  const supervisor = spawn(packagePaths().loadGenerator, ["supervise", "--", ...words], {
    stdio: ["pipe", process.stderr.fd, process.stderr.fd],
  });
  if (supervisor.pid === undefined) return 127;
  const ended = once(supervisor, "exit");
  const asked = terminated();
  let over = false;
  let leaving = false;
  void ended.then(() => {
    over = true;
  });
  void asked.then(() => {
    leaving = true;
  });
  let ready = false;
  // The last look is after the deadline.
  for (let looked = 0; !over && !leaving && !ready && looked < deadline; ) {
    looked = performance.now();
    ready = await listens(port);
    const pauseMs = Math.max(askAgainMs, lookPause * (performance.now() - looked));
    if (!ready) await delay(Math.min(pauseMs, longestPauseMs));
  }
  if (over) {
    const { signalCode, exitCode } = supervisor;
    console.error(`the command ended (${signalCode ?? `exit ${exitCode}`})`);
    return 1;
  }
  if (!leaving && !ready) {
    console.error(notReady(supervisor.pid, port, seconds));
    await stop(supervisor, ended);
    return 1;
  }
  if (!leaving) announce(port, serverBelow(supervisor.pid));
  await Promise.race([ended, asked]);
  if (over) return supervisor.exitCode ?? 1;
  await stop(supervisor, ended);
  return 0;
}

/** Why a command that runs is not reached, as far as the platform tells. */
function notReady(supervisor: number, port: number, seconds: string): string {
  const late = `nothing listens on 127.0.0.1:${port} after ${seconds} s (--ready-within)`;
  const elsewhere = listeningOf(processTree(supervisor));
  if (elsewhere.length === 0) return late;
  return `${late}; the command listens on ${elsewhere.join(", ")}: give it 127.0.0.1 and {port}`;
}

async function stop(supervisor: ChildProcess, ended: Promise<unknown>): Promise<void> {
  supervisor.kill("SIGTERM");
  await Promise.race([ended, delay(goodbyeMs, null, { ref: false })]);
  supervisor.stdin?.end();
  await ended;
}

/** The process to measure: the only one below the supervisor, or the supervisor itself. */
function serverBelow(supervisor: number): number {
  try {
    const path = `/proc/${supervisor}/task/${supervisor}/children`;
    const [only, ...others] = readFileSync(path, "latin1").trim().split(" ").map(Number);
    return only && others.length === 0 ? only : supervisor;
  } catch {
    return supervisor; // not Linux, or no CONFIG_PROC_CHILDREN
  }
}

function announce(port: number, pid: number): void {
  process.stdout.write(`${JSON.stringify({ event: "ready", port, pid })}\n`);
}

/** Resolves on SIGTERM or SIGINT, and keeps the process alive until then. */
function terminated(): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 1 << 30);
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
}

/** Looked up if the kernel has a table: a connection to find out might be the only one it takes. */
async function listens(port: number): Promise<boolean> {
  const sockets = listeningSockets(port);
  return sockets === null ? await accepts(port) : sockets.length > 0;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
