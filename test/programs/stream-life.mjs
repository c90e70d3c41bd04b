// One program per case of test/streams.test.ts that concerns a whole process: what keeps it alive,
// what its threads do. The case is the first argument; its figures are JSON on standard output.

import { AsyncLocalStorage } from "node:async_hooks";
import { mkdtempSync, open, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { makeFifo, openFifo, pipe, toDuplex, toReadable, write } from "../../dist/src/index.js";

const descriptors = () => readdirSync("/dev/fd").length;

const cases = {
  /** A stream without a consumer. */
  "no-consumer": () => {
    toReadable(pipe()[0]);
  },
  paused: () => {
    const stream = toReadable(pipe()[0]).on("data", () => {});
    setTimeout(() => stream.pause(), 20);
  },
  unref: () => {
    const stream = toReadable(pipe()[0]).on("data", () => {});
    setTimeout(() => stream.unref(), 20);
  },
  /** Always ready: it reads what it has written itself. */
  "unref-busy": () => {
    const [reader, writer] = pipe();
    const stream = toReadable(reader, { highWaterMark: 512 });
    stream.on("data", (bytes) => write(writer, bytes));
    write(writer, Buffer.alloc(4096));
    setTimeout(() => stream.unref(), 20);
  },
  destroyed: () => {
    const stream = toReadable(pipe()[0]).on("data", () => {});
    setTimeout(() => stream.destroy(), 20);
  },
  /** Held and released: the process lives until the end of the file, which comes later. */
  reading: () => {
    const [reader, writer] = pipe();
    const stream = toReadable(reader).on("data", (bytes) => process.stdout.write(bytes));
    stream.pause();
    setTimeout(() => {
      stream.resume();
      setTimeout(() => {
        write(writer, Buffer.from("late"));
        toDuplex(writer).destroy();
      }, 50).unref();
    }, 20);
  },
  context: collectContext,
  "a-thousand": readThousand,
  worker: terminateWorker,
};

/** Whether the store of a stream that was destroyed is collected. */
async function collectContext() {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const store = makeStreamInContext();
  for (let i = 0; i < 100 && store.deref() !== undefined; i++) {
    await delay(10);
    collect();
  }
  process.stdout.write(String(store.deref() === undefined));
}

function makeStreamInContext() {
  const store = {};
  const stream = new AsyncLocalStorage().run(store, () => toReadable(pipe()[0]).resume());
  setTimeout(() => stream.destroy(), 20);
  return new WeakRef(store);
}

/** A thousand FIFOs while the only thread of the pool waits in open(2). */
async function readThousand() {
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
  const blocker = join(folder, "blocker");
  makeFifo(blocker);
  open(blocker, "r", () => {}); // returns once a writer opens it: at the end
  const writers = [];
  const texts = Array.from({ length: 1000 }, async (_, i) => {
    const path = join(folder, String(i));
    makeFifo(path);
    const stream = toReadable(openFifo(path, "read"), { encoding: "utf8" });
    writers.push(openFifo(path, "write"));
    let text = "";
    for await (const chunk of stream) text += chunk;
    return text;
  });
  for (const [i, writer] of writers.entries()) {
    setImmediate(() => {
      write(writer, Buffer.from(`from ${i}`));
      toDuplex(writer).destroy();
    });
  }
  const received = await Promise.all(texts);
  const right = received.filter((text, i) => text === `from ${i}`).length;
  process.stdout.write(JSON.stringify({ right }));
  openFifo(blocker, "write");
  rmSync(folder, { recursive: true });
}

/** What a worker that is terminated while its streams read leaves open: the second is compared. */
async function terminateWorker() {
  const figures = [];
  for (let i = 0; i < 2; i++) figures.push(await readInWorker());
  const [first, second] = figures;
  process.stdout.write(
    JSON.stringify({ opened: second.during - first.after >= 40, left: second.after - first.after }),
  );
}

async function readInWorker() {
  const worker = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
     import(workerData).then((io) => {
       for (let i = 0; i < 20; i++) {
         const [reader, writer] = io.pipe();
         io.toReadable(reader).on("data", () => {});
         io.toWritable(writer).write("x");
       }
       parentPort.postMessage("reading");
     });`,
    { eval: true, workerData: new URL("../../dist/src/index.js", import.meta.url).href },
  );
  await new Promise((resolve) => worker.once("message", resolve));
  const during = descriptors();
  await worker.terminate();
  return { during, after: descriptors() };
}

await cases[process.argv[2] ?? ""]?.();
