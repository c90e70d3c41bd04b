// What the network between an agent and the server can do: one message at a time for the round
// trip, large messages for the throughput. The load generator and the reference server measure it,
// so it is the path that the run takes.

import { deferred, within } from "../host/deadline.ts";
import { describeEnd, describeExit } from "../host/host.ts";
import { parseEvent, type Window } from "../model/events.ts";
import { decodeHistogram } from "../statistics/hdr-encoding.ts";
import { type Agent, HostError } from "./agent.ts";

export interface NetworkPath {
  /** A message of 64 bytes there and back, the median. */
  readonly roundTripUs: number;
  /** Both directions together, mebibytes per second. */
  readonly mebibytesPerSecond: number;
}

const readyMs = 10_000;
const loadMs = 20_000;
const bulkBytes = 65_536;
const oneAtATime = ["--connections", "1", "--in-flight", "1", "--payload-bytes", "64"];
const bulk = ["--connections", "4", "--in-flight", "16", "--payload-bytes", String(bulkBytes)];

/** @throws {HostError} naming the host that could not reach the server. */
export async function measureNetwork(
  agent: Agent,
  { server, address }: { readonly server: Agent; readonly address: string },
): Promise<NetworkPath> {
  const announced = deferred<{ readonly port: number }>();
  const { echoServer } = server.installed;
  const echo = server.start(
    [echoServer, "--strategy", "reactor-epoll", "--host", address],
    (line) => {
      const event = parseEvent(line);
      if (event?.event === "ready") announced.resolve(event);
    },
  );
  try {
    const ready = await within(
      Promise.race([announced.promise, echo.exited.then(() => ({ port: 0 }))]),
      {
        timeoutMs: readyMs,
      },
    );
    if (ready === null || ready.port === 0) {
      const end = describeEnd(echo, `cannot listen on ${address}`);
      throw new HostError(`${end}; name another with --server-address`, server.name);
    }
    const target = ["--host", address, "--port", String(ready.port)];
    const single = await windowOf(agent, [...target, ...oneAtATime]);
    const many = await windowOf(agent, [...target, ...bulk]);
    const roundTripNs = decodeHistogram(single.latency).quantile(0.5) ?? 0;
    const bytes = 2 * bulkBytes * many.completedMessages;
    return {
      roundTripUs: roundTripNs / 1e3,
      mebibytesPerSecond: bytes / 2 ** 20 / (many.durationNs / 1e9),
    };
  } finally {
    echo.kill("SIGKILL");
  }
}

async function windowOf(agent: Agent, args: readonly string[]): Promise<Window> {
  let window: Window | null = null;
  const timing = ["--mode", "closed", "--warmup-ms", "200", "--windows", "1", "--window-ms", "400"];
  const child = agent.start(
    [agent.installed.loadGenerator, "run", ...args, ...timing, "--connect-timeout-ms", "5000"],
    (line) => {
      const event = parseEvent(line);
      if (event?.event === "window") window = event;
    },
  );
  const exit = await within(child.exited, { timeoutMs: loadMs });
  child.kill("SIGKILL");
  if (window !== null) return window;
  const end = exit === null ? `did not end within ${loadMs / 1000} s` : describeExit(exit);
  throw new HostError(`cannot reach the server: ${describeEnd(child, end)}`, agent.name);
}
