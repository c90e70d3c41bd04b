// A worker blocks in select() until a pipe is readable, or until the main thread wakes it because
// there is other work.
//
//   npm run build && node dist/examples/03-wake-a-worker.js

import { once } from "node:events";
import { getSystemErrorName } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { close, DefaultSelector, EVENT_READ, openWaker, pipe, read, write } from "../src/index.ts";

if (isMainThread) await main();
else work(workerData);

async function main(): Promise<void> {
  const jobs = new Int32Array(new SharedArrayBuffer(4));
  const [reader, writer] = pipe();
  const worker = new Worker(new URL(import.meta.url), { workerData: { jobs, reader } });
  const ended = once(worker, "exit");
  const [handle] = await once(worker, "message");
  worker.on("message", (text) => console.log(text));

  const waker = openWaker(handle); // a plain number, so that it can be posted
  for (let i = 0; i < 3; i++) Atomics.add(jobs, 0, 1);
  waker.wake(); // one wake for all three jobs: several wakes may end only one wait
  await once(worker, "message");

  check("write", write(writer, new TextEncoder().encode("bye")));
  await ended;
  waker.wake(); // a no-op: the worker has ended
  for (const fd of [reader, writer]) check("close", close(fd));
}

function work({ jobs, reader }: { readonly jobs: Int32Array; readonly reader: number }): void {
  const selector = new DefaultSelector();
  selector.register(reader, EVENT_READ);
  parentPort?.postMessage(selector.waker().handle);
  const buffer = new Uint8Array(16);
  while (selector.size > 0) {
    for (const { key } of selector.select()) {
      const n = check("read", read(key.fd, buffer));
      parentPort?.postMessage(`the pipe said "${new TextDecoder().decode(buffer.subarray(0, n))}"`);
      selector.unregister(key.fd);
    }
    // A wake returns no events: the jobs are counted in shared memory.
    const taken = Atomics.exchange(jobs, 0, 0);
    if (taken > 0) parentPort?.postMessage(`woken for ${taken} jobs`);
  }
  selector.close();
}

function check(call: string, answer: number): number {
  if (answer < 0) throw new Error(`${call}: ${getSystemErrorName(answer)}`);
  return answer;
}
