// A process that waits for some events, and writes down when each reached it.

import { createInterface } from "node:readline";
import type { Receipt } from "./figures.ts";
import type { MeetingPlace } from "./way.ts";
import { wayNamed } from "./ways.ts";
import "./lifeline.ts";

export interface ListenerSettings {
  readonly way: string;
  readonly place: MeetingPlace;
  readonly events: readonly number[];
}

const settings: ListenerSettings = JSON.parse(process.argv[2] ?? "{}");
const receipts: Receipt[] = [];

await wayNamed(settings.way).listen(settings.place, settings.events, (event, sequence) => {
  receipts.push({ event, sequence, atNs: Number(process.hrtime.bigint()) });
});
createInterface({ input: process.stdin }).on("line", () => {
  process.stdout.write(`${JSON.stringify(receipts)}\n`);
});
process.stdout.write("true\n");
