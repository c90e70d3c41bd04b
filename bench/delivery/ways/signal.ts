// A signal to every process, whether it waits for the event or not. A signal carries no bytes, so
// each process reads from a file which event it was. Signals that arrive together merge into one,
// and the file has only the newest event. signal(7), kill(2)

import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { decodeEvents, encodeEvent, type Way } from "../way.ts";

const SIGNAL = "SIGUSR2";
/** One place for all: as long as any event, so that a read never sees half of two. */
const RECORD_BYTES = 32;
const record = (event: number, sequence: number) => {
  const bytes = Buffer.alloc(RECORD_BYTES, "\n");
  bytes.set(encodeEvent(event, sequence));
  return bytes;
};

export const signal: Way = {
  name: "signal:all",
  known: "nothing",
  bytesReach: "all",
  wakesOthers: true,
  holds: "any number: the signal says only that something happened, a file says what",

  prepare(folder) {
    writeFileSync(join(folder, "newest"), record(0, 0));
    return { folder };
  },

  listen({ folder }, events, onEvent) {
    const file = openSync(join(folder, "newest"), "r");
    const bytes = Buffer.alloc(RECORD_BYTES);
    process.on(SIGNAL, () => {
      readSync(file, bytes, 0, RECORD_BYTES, 0);
      const [newest] = decodeEvents(bytes);
      if (newest !== undefined && events.includes(newest.event)) {
        onEvent(newest.event, newest.sequence);
      }
    });
  },

  open({ folder, pids = [] }) {
    const file = openSync(join(folder, "newest"), "r+");
    return {
      emit(event, sequence) {
        writeSync(file, record(event, sequence), 0, RECORD_BYTES, 0);
        for (const pid of pids) process.kill(pid, SIGNAL);
        return null;
      },
      close: () => closeSync(file),
    };
  },

  hold: (_folder, events) => events,
};
