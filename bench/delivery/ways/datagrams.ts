// The receiving side of every way whose events are datagrams.

import { type DefaultSelector, recv } from "../../../src/index.ts";
import { decodeEvents, type OnEvent } from "../way.ts";

/** Longer than any event, and cut off by recv(2) if it is not. */
const EVENT_BYTES = 512;

/** Passes on the events that arrive at the registered sockets, until the selector is closed. */
export async function watchDatagrams(selector: DefaultSelector, onEvent: OnEvent): Promise<void> {
  const bytes = new Uint8Array(EVENT_BYTES);
  for await (const ready of selector) {
    for (const { key } of ready) {
      for (let n = recv(key.fd, bytes); n > 0; n = recv(key.fd, bytes)) {
        for (const { event, sequence } of decodeEvents(bytes.subarray(0, n))) {
          onEvent(event, sequence);
        }
      }
    }
  }
}
