// A named FIFO for each event: what both kinds of reader share. The writer opens it without
// waiting, and so learns whether any process listens. One reader gets the bytes; the end of the
// file wakes the others. fifo(7)

import { constants } from "node:os";
import { join } from "node:path";
import { close, makeFifo, openFifo, write } from "../../../src/index.ts";
import { encodeEvent, howMany, type Way } from "../way.ts";

export function fifoOf(folder: string, event: number): string {
  return join(folder, `event-${event}`);
}

export const fifo: Pick<
  Way,
  "known" | "bytesReach" | "wakesOthers" | "holds" | "prepare" | "open" | "hold"
> = {
  known: "whether any process listened",
  bytesReach: "one",
  wakesOthers: false,
  holds: "as many as the file system has inodes: millions",

  prepare(folder, events) {
    for (let event = 0; event < events; event++) makeFifo(fifoOf(folder, event));
    return { folder };
  },

  open({ folder }) {
    return { emit: (event, sequence) => emit(folder, event, sequence), close: () => {} };
  },

  hold(folder, events) {
    return howMany(events, (event) => makeFifo(fifoOf(folder, event)));
  },
};

/** @returns 0 if no process listens; null if any does, since their number is unknown. */
function emit(folder: string, event: number, sequence: number): number | null {
  let fd: number;
  try {
    fd = openFifo(fifoOf(folder, event), "write");
  } catch (error) {
    if ((error as { errno?: number }).errno === -constants.errno.ENXIO) return 0;
    throw error;
  }
  write(fd, encodeEvent(event, sequence));
  close(fd);
  return null;
}
