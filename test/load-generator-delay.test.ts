// Latency against what is known of it: a delay that the server plants, by its own clock, and
// Little's law.

import { afterEach, describe, expect, it } from "vitest";
import { type Bins, bins, quantile } from "./hdr-reader.ts";
import { type Answer, echo, endAll, listen, run } from "./load-runs.ts";

afterEach(endAll);

const ms = 1e6;

/** Echoes each message after a delay, by its own clock: a timer may be early. */
function delayed(delayMs: number): Answer {
  const waiting: { readonly came: bigint; readonly answer: () => void }[] = [];
  const isDue = (came: bigint) => Number(process.hrtime.bigint() - came) >= delayMs * ms;
  const answerDue = () => {
    for (let next = waiting[0]; next !== undefined && isDue(next.came); next = waiting[0]) {
      next.answer();
      waiting.shift();
    }
    if (waiting.length > 0) setTimeout(answerDue, 1);
  };
  return (socket, data) => {
    waiting.push({ came: process.hrtime.bigint(), answer: () => socket.write(data) });
    if (waiting.length === 1) setTimeout(answerDue, delayMs);
  };
}

describe("a planted delay", () => {
  // One message at a time on a connection, so that they are answered in order.
  const options = { connections: 8, depth: 1, rate: 200, windows: 4, "tick-us": 0, spin: 1 };

  async function latencyOf(answer: Answer) {
    const { windows, result } = await run(await listen(answer), options);
    expect(result).toMatchObject({ mismatches: 0, missing: 0, error: null });
    const all = windows.flatMap((window) => bins(window.latencyUncorrected));
    return (share: number) => quantile(sortedBins(all), share);
  }

  it.each([1, 5])("of %i ms shows in p50 and p99", async (delayMs) => {
    const latency = await latencyOf(delayed(delayMs));
    // Three significant digits: a bin's end may lie that much below. A busy machine adds to it, so
    // there is no bound from above.
    for (const share of [0.5, 0.99]) expect(latency(share)).toBeGreaterThan(0.99 * delayMs * ms);
  });
});

const sortedBins = (all: Bins): Bins => [...all].sort(([one], [other]) => one - other);

const mean = (all: Bins) => {
  const count = all.reduce((sum, [, number]) => sum + number, 0);
  return all.reduce((sum, [value, number]) => sum + value * number, 0) / count;
};

describe("Little's law: messages in flight are throughput times latency, within 5 %", () => {
  it.each([
    ["open", { rate: 500 }],
    ["open, smoothly", { rate: 500, "tick-us": 0, spin: 1 }],
    ["open, many connections", { rate: 2000, connections: 100 }],
    ["closed", { mode: "closed", "in-flight": 8 }],
    ["closed, pipelined", { mode: "closed", "in-flight": 32, depth: 4, connections: 8 }],
  ])("%s", async (_name, options) => {
    const port = await listen("mode" in options ? delayed(2) : echo);
    const long = { windows: 1, "window-ms": 1000, connections: 16, ...options };
    const { windows, result } = await run(port, long);
    expect(result).toMatchObject({ mismatches: 0, missing: 0, error: null });
    const [window] = windows;
    if (window === undefined) throw new Error("there is one");
    const duration = Number(window["durationNs"]);
    const inFlight = Number(window["inFlightNs"]) / duration;
    const throughput = Number(window["completedMessages"]) / duration;
    const latencies = bins(window.latencyUncorrected);
    const expected = throughput * mean(latencies);
    // Those that are under way at an edge of the window are in one of both figures in part only.
    // On a busy machine there are many: each message of the slowest one's time, for its time.
    const slowest = Math.max(...latencies.map(([value]) => value));
    const atEdges = (2 * throughput * slowest ** 2) / duration;
    expect(Math.abs(inFlight - expected)).toBeLessThan(0.05 * expected + atEdges);
  });
});
