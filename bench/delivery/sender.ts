// The process that sends the events.

import { createInterface } from "node:readline";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import type { Send } from "./figures.ts";
import type { MeetingPlace, Sender } from "./way.ts";
import { wayNamed } from "./ways.ts";

export interface SenderSettings {
  readonly way: string;
  readonly place: MeetingPlace;
  /** The number of pairs of a listener and an event, known before the first event is sent. */
  readonly pairs: number;
}

export interface Order {
  readonly event: number;
  readonly count: number;
  /** From one to the next; 0 sends as fast as it can. */
  readonly gapMs: number;
}

const settings: SenderSettings = JSON.parse(process.argv[2] ?? "{}");
const sender = await wayNamed(settings.way).open(settings.place);
await sender.untilHeard?.(settings.pairs);
let sequence = 0;

process.stdout.write("true\n");
for await (const line of createInterface({ input: process.stdin })) {
  const sends = await send(sender, JSON.parse(line));
  process.stdout.write(`${JSON.stringify(sends)}\n`);
}
sender.close();

async function send(to: Sender, { event, count, gapMs }: Order): Promise<Send[]> {
  const sends: Send[] = [];
  const startMs = performance.now();
  for (let i = 0; i < count; i++) {
    sequence++;
    const atNs = Number(process.hrtime.bigint());
    const answer = to.emit(event, sequence);
    const taken = typeof answer === "object" && answer !== null ? await answer : answer;
    sends.push({ event, sequence, atNs, taken });
    // Sending is part of the gap; a sender that is late catches up a millisecond apart. Timers take
    // a millisecond at least, so a shorter gap is waited for after several events.
    const leftMs = startMs + (i + 1) * gapMs - performance.now();
    if (gapMs >= 1) await delay(Math.max(leftMs, 1));
    else if (gapMs > 0) await (leftMs >= 1 ? delay(leftMs) : setImmediate());
  }
  return sends;
}
