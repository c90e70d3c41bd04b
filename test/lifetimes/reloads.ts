// Environments that load the addon and end while work is pending: workers, ten at once. They use
// the compiled library, because a worker that compiles it would live too long.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { close, socketPair } from "../../src/index.ts";
import { type Bound, judge, type Sample, type Verdict } from "./flatness.ts";
import { collect, countDescriptors, countThreads, memoryKiB, turns } from "./resources.ts";

const library = new URL("../../dist/src/index.js", import.meta.url).href;
const AT_ONCE = 10;
const SAMPLES = 20;

/** What a worker leaves open as it ends: by itself, by process.exit, or terminated in a wait. */
const ends: readonly string[] = [
  "",
  "selector.close();",
  "selector.wait();",
  "selector.wait({ timeoutMs: 1 }).catch(() => {}); selector.close();",
  "selector.wait({ timeoutMs: 60_000 }).catch(() => {});",
  "new io.Reactor(selector).run();",
  "io.openWaker(selector.waker().handle).wake(); selector.wait();",
  "loaded(); selector.select(60_000);",
  "loaded(); for (;;) selector.select();",
  "loaded(); new io.Reactor(selector).handleEvents();",
  "selector.wait().then(loaded); process.exit(0);",
];
const classes = ["DefaultSelector", "PollSelector", "SelectSelector"];

/** Node itself keeps some kibibytes of each worker that there was. */
const BOUNDS: Readonly<Record<string, Bound>> = {
  descriptors: { inAll: 0, each: 0 },
  threads: { inAll: 0, each: 0 },
  "memory in KiB": { inAll: 12 * 1024, each: 32 },
};

/**
 * Needs --expose-gc.
 * @throws {Error} what a worker threw.
 */
export async function reload(
  count: number,
  onProgress: (done: number) => void,
): Promise<Verdict[]> {
  const ends = socketPair();
  const samples: Sample[] = [];
  let done = 0;
  try {
    for (let i = 0; i < SAMPLES; i++) {
      const until = Math.round((count * (i + 1)) / SAMPLES);
      while (done < until) {
        const some = Math.min(AT_ONCE, until - done);
        await Promise.all(Array.from({ length: some }, (_, j) => loadOnce(done + j, ends[0])));
        done += some;
      }
      samples.push({ at: done, held: await sample() });
      onProgress(done);
    }
  } finally {
    for (const fd of ends) close(fd);
  }
  return judge(samples, BOUNDS);
}

/** A worker that loads the library, registers a descriptor of ours, and ends. */
async function loadOnce(index: number, fd: number): Promise<void> {
  const worker = new Worker(source(index), { eval: true, execArgv: [], workerData: fd });
  const exited = once(worker, "exit");
  await Promise.race([once(worker, "message"), exited]);
  await worker.terminate();
  await exited;
}

function source(index: number): string {
  const selector = classes[index % classes.length];
  return `
    const { parentPort, workerData } = require("node:worker_threads");
    const loaded = () => parentPort.postMessage("loaded");
    import(${JSON.stringify(library)}).then((io) => {
      const selector = new io.${selector}();
      selector.register(workerData, io.EVENT_READ);
      if (selector.poll(0) !== 0) throw new Error("something is ready");
      ${ends[index % ends.length]}
      loaded();
    });`;
}

async function sample(): Promise<Record<string, number | null>> {
  for (let i = 0; i < 3; i++) {
    collect();
    await turns();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    descriptors: countDescriptors(),
    threads: countThreads(),
    "memory in KiB": memoryKiB(),
  };
}
