// Readers of named FIFOs that wait in open(2), which returns when a writer comes: no descriptor
// while nothing happens, but a thread for each event that is waited for. fifo(7)

import { open } from "node:fs/promises";
import { decodeEvents, type OnEvent, type Way } from "../way.ts";
import { fifo, fifoOf } from "./fifo.ts";

export const fifoOpen: Way = {
  ...fifo,
  name: "fifo:open",
  listen({ folder }, events, onEvent) {
    for (const event of events) void wait(folder, event, onEvent);
  },
};

async function wait(folder: string, event: number, onEvent: OnEvent): Promise<never> {
  for (;;) {
    const file = await open(fifoOf(folder, event), "r"); // a thread of the pool stands in there
    const bytes = await file.readFile();
    const events = decodeEvents(bytes);
    if (events.length === 0) onEvent(event, null);
    for (const { sequence } of events) onEvent(event, sequence);
    await file.close();
  }
}
