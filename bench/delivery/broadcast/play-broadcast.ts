// A round of the workload `broadcast`: a server on one CPU, its members on another.

import { accountsOf, stealNs } from "../../host/usage.ts";
import type { Window } from "../../model/events.ts";
import type { DeliverySettings } from "../../run/delivery-round.ts";
import { Peer } from "../peers.ts";
import { difference, type Played, type Unplayable, windowOf } from "../played.ts";
import type { BroadcastLoadResult, BroadcastLoadSettings } from "./load.ts";

/** What the kernel says before and after a slice. */
interface Sides {
  readonly server: Peer;
  readonly load: Peer;
}

/** A message has its number in it, and is one that a server reads and a socket takes whole. */
const payloads = { least: 4, most: 16 << 10 } as const;

export async function playBroadcast(
  name: string,
  settings: DeliverySettings,
): Promise<Played | Unplayable> {
  const { serverCpu, clientCpu, connections, payloadBytes, warmupMs } = settings;
  const { least, most } = payloads;
  if (payloadBytes < least || payloadBytes > most) {
    return { unavailable: `broadcast takes messages of ${least} to ${most} bytes` };
  }
  const gapMs = 1000 / (settings.ratePerSecond ?? 1);
  const server = new Peer("bench/delivery/broadcast/serve", [name], { cpu: serverCpu });
  let load: Peer | null = null;
  try {
    const { port } = await server.hear<{ port: number }>();
    const members = connections;
    const told: BroadcastLoadSettings = { port, members, gapMs, payloadBytes, warmupMs };
    // What an engine collects and compiles beside its one thread would wait for that very thread,
    // and the gate would take it for a disturbance of the load.
    const alone = { cpu: clientCpu, flags: ["--single-threaded"] };
    load = new Peer("bench/delivery/broadcast/load", [JSON.stringify(told)], alone);
    await load.hear();
    return await playWindows({ server, load }, settings, gapMs);
  } finally {
    await Promise.all([load?.kill(), server.kill()]);
  }
}

async function playWindows(
  sides: Sides,
  { windows: count, windowMs, connections }: DeliverySettings,
  gapMs: number,
): Promise<Played> {
  const messages = Math.max(1, Math.round(windowMs / gapMs));
  const intendedMessages = messages * connections;
  const windows: Window[] = [];
  let wrong = 0;
  for (let index = 0; index < count; index++) {
    const { result, ...accounts } = await playSlice(sides, messages, windowMs);
    const { seconds, deliveries, lastNs } = result;
    wrong += Math.max(intendedMessages - deliveries, result.wrong);
    const sent = {
      intendedMessages,
      sentMessages: intendedMessages,
      completedMessages: deliveries,
    };
    windows.push(windowOf({ index, durationNs: seconds * 1e9, ...sent, ...accounts }, lastNs));
  }
  const delivered = windows.reduce((sum, { completedMessages }) => sum + completedMessages, 0);
  const error = wrong === 0 ? null : `${wrong} deliveries missing or wrong`;
  return { windows, figures: {}, facts: {}, messages: delivered, wrong, error };
}

async function playSlice({ server, load }: Sides, messages: number, busyMs: number) {
  const look = () => [server, load].map(({ pid }) => accountsOf(pid));
  const [before, stolenNs] = [look(), stealNs()];
  load.ask({ messages });
  const result = await load.hear<BroadcastLoadResult>(busyMs);
  const [after, stolenAfterNs] = [look(), stealNs()];
  const clientCpuNs = difference(before[1]?.cpuNs, after[1]?.cpuNs);
  return {
    result,
    serverCpuNs: difference(before[0]?.cpuNs, after[0]?.cpuNs),
    serverRunQueueWaitNs: difference(before[0]?.waitNs, after[0]?.waitNs),
    clientCpuNs: clientCpuNs ?? 0,
    clientsCpuNs: clientCpuNs,
    clientRunQueueWaitNs: difference(before[1]?.waitNs, after[1]?.waitNs),
    stealNs: difference(stolenNs, stolenAfterNs),
  };
}
