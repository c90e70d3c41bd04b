// Reads from the replicated store as fast as it answers, while a writer changes it at a steady
// rate, and determines how old each answer was; then writes to it as fast as it answers. A line on
// standard input starts each of the two phases, and its result is a line on standard output.

import { createInterface } from "node:readline";
import { Request } from "zeromq";
import "./lifeline.ts";

export interface StoreLoadSettings {
  /** The addresses; the same one if the store routes by the operation. */
  readonly reads: string;
  readonly writes: string;
  /** Whether a frame with the operation is in front of each request. */
  readonly operationFrame: boolean;
  /** Requests in flight at any time. */
  readonly inFlight: number;
  /** How long each phase lasts. */
  readonly seconds: number;
  readonly writesPerSecond: number;
  /** How many keys the store has from the start: what a reload costs. */
  readonly keys: number;
  /** Reads before the first phase, which do not count. */
  readonly warmupSeconds: number;
}

export type StoreLoadPhase = "reads" | "writes";

export interface WriteResult {
  readonly answers: number;
  /** How long the phase lasted. */
  readonly seconds: number;
}

export interface ReadResult extends WriteResult {
  /** For each answer: how long a newer version had existed when it was requested; ms. */
  readonly stalenessMs: readonly number[];
  /** With the warm-up. */
  readonly secondsInAll: number;
}

/** As in examples/replicated-store/protocol.ts; what bench uses of examples/ are its programs. */
interface StoreRequest {
  readonly op: "get" | "put";
  readonly key: string;
  readonly value?: string;
}

interface StoreAnswer {
  readonly version: number;
  readonly error?: string;
}

const settings: StoreLoadSettings = JSON.parse(process.argv[2] ?? "{}");
/** When the change that made a version had been answered, by version. */
const committedAtMs: number[] = [];
let stalenessMs: number[] = [];
let writes = 0;
let running = false;

await fill();
const warmup = await readFor(settings.warmupSeconds);
process.stdout.write("true\n");
for await (const line of createInterface({ input: process.stdin })) {
  const { phase } = JSON.parse(line) as { readonly phase: StoreLoadPhase };
  const result = phase === "reads" ? await measureReads() : await measureWrites();
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function measureReads(): Promise<ReadResult> {
  stalenessMs = [];
  const seconds = await readFor(settings.seconds);
  const secondsInAll = warmup + seconds;
  return { answers: stalenessMs.length, seconds, stalenessMs, secondsInAll };
}

async function measureWrites(): Promise<WriteResult> {
  const from = writes;
  const lanes = Array.from({ length: settings.inFlight }, () => write);
  const seconds = await runFor(settings.seconds, lanes);
  return { answers: writes - from, seconds };
}

function readFor(seconds: number): Promise<number> {
  const lanes = Array.from({ length: settings.inFlight }, () => read);
  return runFor(seconds, [writeSteadily, ...lanes]);
}

/** @returns how long it took until the last answer was there, in seconds. */
async function runFor(seconds: number, lanes: readonly (() => Promise<void>)[]): Promise<number> {
  const fromMs = performance.now();
  running = true;
  setTimeout(() => {
    running = false;
  }, seconds * 1000);
  await Promise.all(lanes.map((lane) => lane()));
  return (performance.now() - fromMs) / 1000;
}

async function fill(): Promise<void> {
  const lanes = 100; // at once, so that they share their saves
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const writer = connectTo(settings.writes);
      for (let key = lane; key < settings.keys; key += lanes) await put(writer, `${key}`);
      writer.close();
    }),
  );
}

async function writeSteadily(): Promise<void> {
  const writer = connectTo(settings.writes);
  const gapMs = 1000 / settings.writesPerSecond;
  for (let dueMs = performance.now(); running; dueMs += gapMs) {
    await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    await put(writer, `${writes++ % settings.keys}`);
  }
  writer.close();
}

async function write(): Promise<void> {
  const writer = connectTo(settings.writes);
  while (running) await put(writer, `${writes++ % settings.keys}`);
  writer.close();
}

async function put(writer: Request, key: string): Promise<void> {
  const value = `value ${writes} of ${key}`;
  const { version } = await ask(writer, { op: "put", key, value });
  committedAtMs[version] = performance.now();
}

async function read(): Promise<void> {
  const reader = connectTo(settings.reads);
  while (running) {
    const askedAtMs = performance.now();
    const { version } = await ask(reader, {
      op: "get",
      key: `${stalenessMs.length % settings.keys}`,
    });
    const newerAtMs = committedAtMs[version + 1] ?? askedAtMs;
    stalenessMs.push(Math.max(0, askedAtMs - newerAtMs));
  }
  reader.close();
}

/** @throws {Error} if the store refuses the request. */
async function ask(socket: Request, question: StoreRequest): Promise<StoreAnswer> {
  const request = JSON.stringify(question);
  await socket.send(settings.operationFrame ? [question.op, request] : request);
  const [frame] = await socket.receive();
  const answer: StoreAnswer = JSON.parse(frame?.toString() ?? "");
  if (answer.error === undefined) return answer;
  throw new Error(`the store refused ${request}: ${answer.error}`);
}

function connectTo(address: string): Request {
  const socket = new Request({ linger: 0, receiveTimeout: 20_000 });
  socket.connect(address);
  return socket;
}
