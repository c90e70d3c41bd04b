// Measures when the last of N members of a room has received a message that one of them sends.

import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import * as io from "../../../src/index.ts";

export interface BroadcastLoadSettings {
  readonly port: number;
  readonly members: number;
  readonly gapMs: number;
  readonly payloadBytes: number;
  readonly warmupMs: number;
}

/** A slice of the round. */
interface BroadcastLoadOrder {
  readonly messages: number;
}

export interface BroadcastLoadResult {
  readonly seconds: number;
  /** Messages that reached a member; at most messages × members. */
  readonly deliveries: number;
  /** Messages whose bytes were not what was sent, or that came twice. */
  readonly wrong: number;
  /** For each message that reached all: ns from its intended send time to the last member. */
  readonly lastNs: readonly number[];
}

const settings: BroadcastLoadSettings = JSON.parse(process.argv[2] ?? "{}");
const { members, gapMs, payloadBytes, warmupMs } = settings;
/** Whatever is missing by then is lost. */
const LONGEST_WAIT_MS = 20_000;
/** Messages, each from another member, so that afterwards every member's thread has started. */
const WARM_UP_AT_LEAST = 64;
const WARM_UP_GAP_MS = 2;
/** A connection that is established here may yet have to be accepted there. */
const ACCEPTED_WITHIN_MS = 100;
const MOST_TRIES = 200;

const reactor = new io.Reactor(new io.DefaultSelector());
const buffer = Buffer.alloc(64 * 1024);
/** Each message, when it was meant to be sent, and how many have it. */
const said: Buffer[] = [];
const dueMs: number[] = [];
const reached: number[] = [];
let lastNs: number[] = [];
let deliveries = 0;
let wrong = 0;

/** A message is its number, and the same byte up to its length. */
function messageOf(number: number): Buffer {
  const bytes = Buffer.alloc(payloadBytes, number & 0xff);
  bytes.writeUInt32BE(number);
  return bytes;
}

/** Makes no garbage where messages come whole: collecting it would be time that members wait. */
class Listener implements io.EventHandler {
  #kept = Buffer.alloc(0);
  /** Whether this member has a message, by the number of the message. */
  readonly #has: boolean[] = [];

  onReadable(fd: number): void {
    const n = io.recv(fd, buffer);
    if (n === -io.EAGAIN) return;
    if (n <= 0) {
      reactor.removeHandler(fd);
      return;
    }
    const split = this.#kept.length > 0;
    const bytes = split ? Buffer.concat([this.#kept, buffer.subarray(0, n)]) : buffer;
    const end = this.#kept.length + n;
    let at = 0;
    for (; at + payloadBytes <= end; at += payloadBytes) count(bytes, at, this.#has);
    if (split || at < end) this.#kept = Buffer.from(bytes.subarray(at, end));
  }
}

/** A message begins at `at`, for the member that has those of `has`. */
function count(bytes: Buffer, at: number, has: boolean[]): void {
  const number = bytes.readUInt32BE(at);
  const message = said[number];
  if (message?.compare(bytes, at, at + payloadBytes) !== 0 || has[number] === true) {
    wrong++;
    return;
  }
  has[number] = true;
  const had = (reached[number] ?? 0) + 1;
  reached[number] = had;
  deliveries++;
  if (had === members) lastNs.push((performance.now() - (dueMs[number] ?? 0)) * 1e6);
}

const fds = Array.from({ length: members }, () => io.connectTcp({ port: settings.port }));
for (const fd of fds) reactor.registerHandler(fd, io.EVENT_READ, new Listener());
const running = reactor.run();

await untilAllAreIn();
await speak(Math.max(WARM_UP_AT_LEAST, Math.round(warmupMs / WARM_UP_GAP_MS)), {
  everyMs: WARM_UP_GAP_MS,
  speaker: (i) => fds[i % members],
});
process.stdout.write("true\n");
for await (const line of createInterface({ input: process.stdin })) {
  const { messages }: BroadcastLoadOrder = JSON.parse(line);
  const fromMs = performance.now();
  [lastNs, deliveries, wrong] = [[], 0, 0];
  await speak(messages, { everyMs: gapMs, speaker: () => fds[0] });
  const seconds = (performance.now() - fromMs) / 1000;
  const result: BroadcastLoadResult = { seconds, deliveries, wrong, lastNs };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
reactor.stop();
await running;

/** Says something until each member has heard the same. */
async function untilAllAreIn(): Promise<void> {
  const once = { everyMs: 1, speaker: () => fds[0], longestWaitMs: ACCEPTED_WITHIN_MS };
  for (let tries = 0; tries < MOST_TRIES; tries++) if (await speak(1, once)) return;
  throw new Error(`${members} members were not accepted in time`);
}

interface Speech {
  readonly everyMs: number;
  /** The connection that says each. */
  readonly speaker: (i: number) => number | undefined;
  readonly longestWaitMs?: number;
}

/** Sends each message when it is due, and waits until all have all. @returns whether they had. */
async function speak(many: number, speech: Speech): Promise<boolean> {
  const { everyMs, speaker, longestWaitMs = LONGEST_WAIT_MS } = speech;
  const first = dueMs.length;
  const startMs = performance.now() + everyMs;
  for (let i = 0; i < many; i++) {
    const due = startMs + i * everyMs;
    // Node's timers may come a part of a millisecond early.
    while (performance.now() < due) await delay(Math.max(due - performance.now(), 1));
    const message = messageOf(first + i);
    said.push(message);
    dueMs.push(due);
    reached.push(0);
    io.send(speaker(i) ?? -1, message);
  }
  const arrived = () => {
    for (let i = first; i < first + many; i++) if ((reached[i] ?? 0) < members) return false;
    return true;
  };
  const endMs = performance.now() + longestWaitMs;
  while (!arrived() && performance.now() < endMs) await delay(5);
  return arrived();
}
