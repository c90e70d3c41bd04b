// The broadcaster of a host. It publishes the messages of its gateways to all of them and to the
// broadcasters of other hosts, and the messages of those to its own gateways. PUSH/PULL:
// https://rfc.zeromq.org/spec/30/, PUB/SUB: spec/29

import { Publisher, Pull, Subscriber } from "zeromq";
import type { Announce } from "./announce.ts";
import { fromFrames, type Subject, toFrames } from "./envelope.ts";
import { FrameQueue } from "./frame-queue.ts";
import { Ledger } from "./ledger.ts";

export interface BroadcasterSettings {
  /** Where other hosts reach it; port 0 for any. */
  readonly host: string;
  readonly port: number;
  /** Where gateways push to: an endpoint it had before, or `tcp://127.0.0.1:*`. */
  readonly uplink: string;
  /** Addresses of other broadcasters, `host:port`. */
  readonly peers: readonly string[];
  /** Messages kept for a subscriber that lags; it loses further ones, and notices that. */
  readonly highWaterMark: number;
}

export async function runBroadcaster(
  settings: BroadcasterSettings,
  announce: Announce,
  stop: AbortSignal,
): Promise<void> {
  const { host, port, uplink, peers, highWaterMark } = settings;
  const pull = new Pull({ receiveHighWaterMark: highWaterMark, linger: 0 });
  const publisher = new Publisher({ sendHighWaterMark: highWaterMark, linger: 0 });
  const others = new Subscriber({
    receiveHighWaterMark: highWaterMark,
    linger: 0,
    reconnectInterval: 50,
  });
  await publisher.bind(`tcp://${host}:${port === 0 ? "*" : port}`);
  await pull.bind(uplink);
  others.subscribe("home");
  for (const peer of peers) others.connect(`tcp://${peer}`);

  const ledger = new Ledger();
  const queue = new FrameQueue(publisher);
  announce({ event: "ready", uplink: pull.lastEndpoint, downlink: publisher.lastEndpoint });
  const sockets = [pull, publisher, others];
  stop.addEventListener("abort", () => {
    for (const socket of sockets) socket.close();
  });
  await Promise.all([relay(pull, "home"), relay(others, "away")]);
  announce({ event: "counters", lost: ledger.lost, duplicates: ledger.duplicates });

  async function relay(from: Pull | Subscriber, subject: Subject): Promise<void> {
    for await (const frames of from) {
      const envelope = fromFrames(frames);
      if (envelope !== null && ledger.take(envelope).fresh) {
        queue.push(toFrames(subject, envelope));
      }
    }
  }
}
