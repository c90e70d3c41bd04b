// The broker: one address for reads and one for writes, and a queue behind each, which gives
// requests to its servers in turn. ZeroMQ's proxy forwards them in a thread of its own, without
// JavaScript. ROUTER and DEALER: https://rfc.zeromq.org/spec/28/

import { once } from "node:events";
import { Dealer, Proxy as Queue, Router } from "zeromq";
import { openOneAddress } from "./one-address.ts";

export interface Endpoints {
  /** Where clients read and write. */
  readonly reads: string;
  readonly writes: string;
  /** Where clients do both, with the operation in a frame of its own. */
  readonly both: string;
  /** Where the servers take what is theirs. */
  readonly readers: string;
  readonly writers: string;
}

export async function runBroker(
  wanted: Endpoints,
  announce: (event: object) => void,
  stop: AbortSignal,
): Promise<void> {
  const reads = await openQueue(wanted.reads, wanted.readers);
  const writes = await openQueue(wanted.writes, wanted.writers);
  const targets = { reads: reads.front, writes: writes.front };
  const both = await openOneAddress(wanted.both, targets, stop);
  announce({
    event: "ready",
    endpoints: {
      both,
      reads: reads.front,
      readers: reads.back,
      writes: writes.front,
      writers: writes.back,
    },
  });
  const running = Promise.all([reads.queue.run(), writes.queue.run()]);
  if (!stop.aborted) await once(stop, "abort");
  for (const { queue } of [reads, writes]) queue.terminate();
  await running;
}

async function openQueue(front: string, back: string) {
  const router = new Router({ linger: 0 });
  const dealer = new Dealer({ linger: 0 });
  await router.bind(front);
  await dealer.bind(back);
  return {
    front: router.lastEndpoint ?? "",
    back: dealer.lastEndpoint ?? "",
    queue: new Queue(router, dealer),
  };
}
