// Makes a contender of anybody's server: node announce.js command 'CMD {port}', or node announce.js
// attach PORT PID. Starts the command with a free port and prints our ready line once something
// listens there; or prints it for a server that runs already. SIGTERM ends what was started here,
// and nothing else.
// Enters: a shell command, or a port and a process id. Leaves: one ready line on standard output.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { packagePaths } from "../paths.ts";

const askAgainMs = 20;
/** From SIGTERM to SIGKILL. */
const goodbyeMs = 2_000;

const [how = "", ...rest] = process.argv.slice(2);
// Waiting for a signal keeps a process alive, and nobody may be going to send one any more.
process.exit(await (how === "attach" ? attach(rest) : start(rest)));

/** Somebody else's process: it is measured, never signalled. */
async function attach([port = "", pid = ""]: readonly string[]): Promise<number> {
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    console.error(`process ${pid}: ${(error as Error).message}`);
    return 1;
  }
  if (!(await listens(Number(port)))) {
    console.error(`nothing listens on 127.0.0.1:${port}`);
    return 1;
  }
  announce(Number(port), Number(pid));
  await terminated();
  return 0;
}

async function start([command = ""]: readonly string[]): Promise<number> {
  const port = await freePort();
  const { loadGenerator } = packagePaths();
  // A process group of its own, so that a shell's children end with it; and it dies when we do.
  const argv = ["launch", "--parent", String(process.pid), "--", "/bin/sh", "-c"];
  const child = spawn(loadGenerator, [...argv, command.replaceAll("{port}", String(port))], {
    detached: true,
    stdio: ["ignore", process.stderr.fd, process.stderr.fd],
  });
  const pid = child.pid;
  if (pid === undefined) return 127;
  guard(pid);
  const ended = once(child, "exit");
  const asked = terminated();
  let over = false;
  let leaving = false;
  void ended.then(() => {
    over = true;
  });
  void asked.then(() => {
    leaving = true;
  });
  while (!over && !leaving && !(await listens(port))) await delay(askAgainMs);
  if (over) {
    console.error(`the command ended (${child.signalCode ?? `exit ${child.exitCode}`})`);
    return 1;
  }
  if (!leaving) announce(port, pid);
  await Promise.race([ended, asked]);
  if (over) return child.exitCode ?? 1;
  signalGroup(pid, "SIGTERM");
  await Promise.race([ended, delay(goodbyeMs, null, { ref: false })]);
  signalGroup(pid, "SIGKILL");
  await ended;
  return 0;
}

function announce(port: number, pid: number): void {
  process.stdout.write(`${JSON.stringify({ event: "ready", port, pid })}\n`);
}

/**
 * Ends the group once we are gone, however that came about: it reads from us until nobody is there.
 * That the kernel ends a child with its parent holds for the shell, and for nothing it starts.
 */
function guard(pid: number): void {
  const script = 'read -r _; kill -s KILL -- "-$0"';
  const stdio = ["pipe", "ignore", "ignore"] as const;
  spawn("/bin/sh", ["-c", script, String(pid)], { detached: true, stdio: [...stdio] });
}

/** ESRCH: all of the group have ended. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
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

/** One that was free a moment ago: the command has to be told before it runs. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** Looked up where the kernel tells: a connection to find out might be the only one it takes. */
async function listens(port: number): Promise<boolean> {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].filter((path) => existsSync(path));
  if (tables.length === 0) return await accepts(port);
  const listening = "0A"; // TCP_LISTEN
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return tables.some((path) =>
    readFileSync(path, "latin1")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(([, local = "", , state]) => local.endsWith(suffix) && state === listening),
  );
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
