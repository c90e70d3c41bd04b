// The ways to deliver an event, one row each: a new one is one file in ways/ and one row here.

import type { Way } from "./way.ts";
import { fifoOpen } from "./ways/fifo-open.ts";
import { fifoSelector } from "./ways/fifo-selector.ts";
import { signal } from "./ways/signal.ts";
import { udpBroadcast } from "./ways/udp-broadcast.ts";
import { udpMulticast } from "./ways/udp-multicast.ts";
import { unixDatagram } from "./ways/unix-datagram.ts";
import { zeromq } from "./ways/zeromq.ts";

export const ways: readonly Way[] = [
  signal,
  fifoSelector,
  fifoOpen,
  udpBroadcast,
  udpMulticast,
  unixDatagram,
  zeromq,
];

/** @throws {Error} naming the ways if there is no such one. */
export function wayNamed(name: string): Way {
  const found = ways.find((way) => way.name === name);
  if (found !== undefined) return found;
  throw new Error(`${name} is not one of ${ways.map((way) => way.name).join(", ")}`);
}
