// Selectors that are made, waited for on Node's loop and closed: nothing of them may remain.

import { DefaultSelector, PollSelector } from "../../src/index.ts";
import { type Bound, judge, type Sample, type Verdict } from "../lifetimes/flatness.ts";
import { turns } from "../lifetimes/resources.ts";
import { sampleSelf } from "./soak.ts";

const SAMPLES = 20;
const BOUNDS: Readonly<Record<string, Bound>> = {
  descriptors: { inAll: 0, each: 0 },
  threads: { inAll: 0, each: 0 },
  "heap in KiB": { inAll: 200, each: 16 / 1024 },
};

/** Needs --expose-gc. */
export async function makeMany(
  count: number,
  onProgress: (done: number) => void,
): Promise<Verdict[]> {
  const samples: Sample[] = [];
  for (let done = 0; samples.length < SAMPLES; ) {
    const until = Math.round((count * (samples.length + 1)) / SAMPLES);
    for (; done < until; done++) await makeOne(done);
    await turns(); // what was closed ends in the loop
    samples.push({ at: done, held: sampleSelf() });
    onProgress(done);
  }
  return judge(samples, BOUNDS);
}

async function makeOne(index: number): Promise<void> {
  const selector = index % 2 === 0 ? new DefaultSelector() : new PollSelector();
  const ended = selector.wait({ timeoutMs: 1000 }).then(
    () => {
      throw new Error("a closed selector was ready");
    },
    () => undefined,
  );
  selector.close();
  await ended;
  if (index % 50 === 0) await turns();
}
