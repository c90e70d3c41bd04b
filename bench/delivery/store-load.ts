// Reads from the replicated store as fast as it answers, beside a writer at a steady rate, and
// finds out how old each answer was.

import { Request } from "zeromq";
import "./lifeline.ts";

export interface StoreLoadSettings {
  readonly reads: string;
  readonly writes: string;
  /** Questions under way at any time. */
  readonly inFlight: number;
  readonly seconds: number;
  readonly writesPerSecond: number;
  /** How many keys the store has from the start: what a reload costs. */
  readonly keys: number;
  /** The same before, which does not count. */
  readonly warmupSeconds: number;
}

export interface StoreLoadResult {
  readonly answers: number;
  readonly seconds: number;
  /** Of each answer: for how long there had been a newer version when it was asked for; ms. */
  readonly stalenessMs: readonly number[];
  /** With the warm-up. */
  readonly secondsInAll: number;
}

const settings: StoreLoadSettings = JSON.parse(process.argv[2] ?? "{}");
/** When the change that made a version had been answered, by version. */
const committedAtMs: number[] = [];
let stalenessMs: number[] = [];
let writes = 0;
let running = false;

await fill();
const warmup = await askAway(settings.warmupSeconds);
process.stdout.write("true\n");
process.stdin.once("data", async () => {
  stalenessMs = [];
  const seconds = await askAway(settings.seconds);
  const result: StoreLoadResult = {
    ...{ answers: stalenessMs.length, seconds, stalenessMs },
    secondsInAll: warmup + seconds,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.stdin.destroy();
});

/** @returns how long it took, in seconds. */
async function askAway(seconds: number): Promise<number> {
  const fromMs = performance.now();
  running = true;
  setTimeout(() => {
    running = false;
  }, seconds * 1000);
  await Promise.all([write(), ...Array.from({ length: settings.inFlight }, read)]);
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

async function write(): Promise<void> {
  const writer = connectTo(settings.writes);
  const gapMs = 1000 / settings.writesPerSecond;
  for (let dueMs = performance.now(); running; dueMs += gapMs) {
    await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    await put(writer, `${writes++ % settings.keys}`);
  }
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

async function ask(socket: Request, question: object): Promise<{ version: number }> {
  await socket.send(JSON.stringify(question));
  const [answer] = await socket.receive();
  return JSON.parse(answer?.toString() ?? "");
}

function connectTo(address: string): Request {
  const socket = new Request({ linger: 0, receiveTimeout: 20_000 });
  socket.connect(address);
  return socket;
}
