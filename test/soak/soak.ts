// One server through many connect-echo-close cycles: what it and its client hold must stay flat.

import { type Bound, judge, type Sample, type Verdict } from "../lifetimes/flatness.ts";
import { countDescriptors, countThreads, heapKiB, memoryKiB } from "../lifetimes/resources.ts";
import { Churn } from "./churn.ts";
import { SoakServer } from "./server.ts";

/** Samples a run; the second half of them is judged. */
const SAMPLES = 40;

/**
 * Descriptors and threads do not grow at all. Memory: 8 bytes a cycle are less than any record of
 * one, and allocators and compilers take their megabytes when they like.
 */
const BOUNDS: Readonly<Record<string, Bound>> = {
  descriptors: { inAll: 0, each: 0 },
  threads: { inAll: 0, each: 0 },
  "memory in KiB": { inAll: 6 * 1024, each: 8 / 1024 },
  "heap in KiB": { inAll: 1024, each: 2 / 1024 },
};

export interface SoakResult {
  readonly server: readonly Verdict[];
  readonly client: readonly Verdict[];
}

/**
 * Needs --expose-gc, and the compiled contenders.
 * @param onProgress called after each fortieth of the cycles.
 * @throws {Error} where a cycle fails, or the server has not counted each of them.
 */
export async function soak(
  contender: string,
  cycles: number,
  onProgress: (done: number) => void,
): Promise<SoakResult> {
  const server = await SoakServer.start(contender);
  const kill = () => server.kill();
  process.once("exit", kill);
  const churn = new Churn(server.port);
  const [ofServer, ofClient]: [Sample[], Sample[]] = [[], []];
  try {
    for (let i = 0; i < SAMPLES; i++) {
      await churn.run(Math.round((cycles * (i + 1)) / SAMPLES) - churn.done);
      ofServer.push({ at: churn.done, held: await server.sample() });
      ofClient.push({ at: churn.done, held: sampleSelf() });
      onProgress(churn.done);
    }
    assertCounted(await server.stop(), cycles);
  } finally {
    churn.close();
    server.kill();
    process.off("exit", kill);
  }
  return { server: judge(ofServer, BOUNDS), client: judge(ofClient, BOUNDS) };
}

export function sampleSelf(): Record<string, number | null> {
  return {
    "heap in KiB": heapKiB(), // first, since it collects
    descriptors: countDescriptors(),
    threads: countThreads(),
    "memory in KiB": memoryKiB(),
  };
}

function assertCounted(counters: Record<string, unknown>, cycles: number): void {
  for (const name of ["connectionsAccepted", "connectionsClosed"]) {
    if (counters[name] === cycles) continue;
    throw new Error(`the server counted ${String(counters[name])} ${name}, not ${cycles}`);
  }
}
