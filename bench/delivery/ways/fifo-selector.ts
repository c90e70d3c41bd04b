// Readers of named FIFOs that wait in a Selector: any number of events per process, no thread.
// After each end of the file a reader opens the FIFO again, because it would stay readable.
// fifo(7)

import { close, DefaultSelector, EVENT_READ, openFifo, read } from "../../../src/index.ts";
import { decodeEvents, type OnEvent, type Way } from "../way.ts";
import { fifo, fifoOf } from "./fifo.ts";

interface FifoReader {
  readonly event: number;
  /** Its bytes have come: the end of the file that follows is of the same event. */
  heard: boolean;
}

export const fifoSelector: Way = {
  ...fifo,
  name: "fifo:selector",
  listen({ folder }, events, onEvent) {
    const selector = new DefaultSelector<FifoReader>();
    for (const event of events) {
      const fd = openFifo(fifoOf(folder, event), "read");
      selector.register(fd, EVENT_READ, { event, heard: false });
    }
    void watch(selector, folder, onEvent);
  },
};

async function watch(
  selector: DefaultSelector<FifoReader>,
  folder: string,
  onEvent: OnEvent,
): Promise<void> {
  const bytes = new Uint8Array(4096);
  for await (const ready of selector) {
    for (const { key } of ready) {
      const reader = key.data as FifoReader;
      const n = read(key.fd, bytes);
      if (n > 0) {
        reader.heard = true;
        for (const { event, sequence } of decodeEvents(bytes.subarray(0, n))) {
          onEvent(event, sequence);
        }
      } else if (n === 0) {
        if (!reader.heard) onEvent(reader.event, null);
        // The new one first: without any reader what is written meanwhile would be refused.
        const fd = openFifo(fifoOf(folder, reader.event), "read");
        selector.unregister(key.fd);
        close(key.fd);
        selector.register(fd, EVENT_READ, { event: reader.event, heard: false });
      }
    }
  }
}
