// A server that runs under a tool, and one client that sends it one message after the other.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { deferred, within } from "../../host/deadline.ts";
import { describeEnd, describeExit } from "../../host/host.ts";
import { parseEvent, type Ready } from "../../model/events.ts";
import type { RoundContext } from "../../run/round.ts";

/** A tool that is not there, or a server that it could not run. Its message is one line. */
export class CannotCount extends Error {
  override readonly name = "CannotCount";
}

/** Its process ended while it had messages to answer. */
export class ServerDied extends CannotCount {}

/** One server to count: how it is started, and how many messages it gets. */
export interface Counted {
  readonly argv: readonly string[];
  readonly messages: number;
  /** A folder for the tool's own files, which no other program uses. */
  readonly folder: string;
  /** A library that is loaded into it first; null for none. */
  readonly preload: string | null;
}

/** Some messages in a row, and when they were echoed, in milliseconds since 1970. */
export interface Slice {
  readonly messages: number;
  readonly fromMs: number;
  readonly toMs: number;
}

const messageBytes = 64;
/** Valgrind takes its time to start. */
const readyTimeoutMs = 30_000;
const echoTimeoutMs = 60_000;
const endTimeoutMs = 15_000;
/** Nothing is sent for so long between slices, so that their ends cut nothing in two. */
const quietMs = 3;
const sliceMessages = 25;

/** Exchanges that many messages with a new server. @throws {CannotCount} @throws {Interrupted} */
export async function exchange(
  argv: readonly string[],
  messages: number,
  { host, signal }: RoundContext,
): Promise<Slice[]> {
  const readyLine = deferred<Ready>();
  const child = host.start(argv, {
    launch: { cpu: null },
    onLine: (line) => {
      const event = parseEvent(line);
      if (event?.event === "ready") readyLine.resolve(event);
    },
  });
  const tool = argv[0] ?? "";
  try {
    const started = await within(Promise.race([readyLine.promise, child.exited]), {
      timeoutMs: readyTimeoutMs,
      signal,
    });
    if (started === null) throw new CannotCount(`${tool}: no ready line`);
    if (!("event" in started)) {
      throw new CannotCount(`${tool}: ${describeExit(started)}; ${child.stderrTail}`);
    }
    const sending = sendInTurn(started.port, messages).catch(async (error: unknown) => {
      // A server that lost its connection may be seen dead only a moment later.
      await within(child.exited, { timeoutMs: endTimeoutMs, signal });
      throw error;
    });
    const slices = await within(Promise.race([child.exited, sending]), {
      timeoutMs: echoTimeoutMs,
      signal,
    });
    if (slices === null) throw new CannotCount(`${tool}: ${messages} messages took too long`);
    if (!Array.isArray(slices)) {
      throw new ServerDied(describeEnd(child, `${tool}: ${describeExit(slices)} during the load`));
    }
    // The server's own number: some tools keep a signal for themselves.
    end(started.pid);
    const exit = await within(child.exited, { timeoutMs: endTimeoutMs, signal });
    if (exit?.code !== 0) throw new CannotCount(`${tool}: did not end well; ${child.stderrTail}`);
    return slices;
  } finally {
    child.kill("SIGKILL");
  }
}

async function sendInTurn(port: number, messages: number): Promise<Slice[]> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  try {
    await once(socket, "connect");
    const message = Buffer.alloc(messageBytes, "m");
    await echo(socket, message); // it is accepted and registered before the first slice
    const slices: Slice[] = [];
    for (let sent = 0; sent < messages; sent += sliceMessages) {
      const count = Math.min(sliceMessages, messages - sent);
      await delay(quietMs);
      const fromMs = nowMs();
      for (let index = 0; index < count; index++) await echo(socket, message);
      slices.push({ messages: count, fromMs, toMs: fromMs });
    }
    await delay(quietMs);
    const ends = [...slices.slice(1).map(({ fromMs }) => fromMs), nowMs()];
    return slices.map((slice, index) => ({ ...slice, toMs: ends[index] ?? slice.toMs }));
  } finally {
    socket.destroy();
  }
}

/** On the clock that strace reads, too. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

async function echo(socket: Socket, message: Buffer): Promise<void> {
  socket.write(message);
  for (let missing = message.length; missing > 0; ) {
    const [part] = (await once(socket, "data")) as [Buffer];
    missing -= part.length;
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It ended by itself; how, its tool's exit says.
  }
}
