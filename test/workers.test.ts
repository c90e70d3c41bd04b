// Threads: wakers across workers, and workers that end, exit and receive messages while they wait.

import { spawn } from "node:child_process";
import { on, once } from "node:events";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { openWaker } from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";

const library = pathToFileURL("dist/src/index.js").href;

const classNames = selectorClasses.map(([name, make]) => [name, make().constructor.name] as const);

/** The worker's messages, one after another; none is lost between two calls. */
const queues = new WeakMap<Worker, AsyncIterator<unknown[]>>();

/** A worker whose code sees the library as `io`, its messages through `parentPort`. */
function startWorker(code: string, workerData?: unknown): Worker {
  const source = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(${JSON.stringify(library)}).then(async (io) => { ${code} })
      .catch((error) => { throw error; });`;
  const worker = new Worker(source, { eval: true, workerData });
  queues.set(worker, on(worker, "message")[Symbol.asyncIterator]());
  return worker;
}

async function nextMessage(worker: Worker): Promise<unknown> {
  const { value } = (await queues.get(worker)?.next()) ?? {};
  return value?.[0];
}

describe.each(classNames)("a worker that waits on %s", (_name, className) => {
  it.each([
    ["without a deadline", "null"],
    ["for a minute", "60_000"],
  ])("ends when it is terminated, waiting %s", async (_case, timeout) => {
    const worker = startWorker(`
        const selector = new io.${className}();
        selector.register(io.listenTcp(), io.EVENT_READ);
        parentPort.postMessage("waiting");
        for (;;) selector.select(${timeout});`);
    await nextMessage(worker);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await worker.terminate();
  });

  it("ends when it is terminated in Reactor.run and in wait", async () => {
    for (const wait of ["new io.Reactor(selector).run()", "selector.wait()"]) {
      const worker = startWorker(`
          const selector = new io.${className}();
          if (${wait.includes("wait")}) selector.register(io.listenTcp(), io.EVENT_READ);
          parentPort.postMessage("waiting");
          await ${wait};`);
      await nextMessage(worker);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await worker.terminate();
    }
  });

  it("receives messages in a wait without a deadline, once it yields", async () => {
    const worker = startWorker(`
        const selector = new io.${className}();
        selector.register(io.listenTcp(), io.EVENT_READ);
        let message;
        parentPort.on("message", (received) => { message = received; });
        parentPort.postMessage("waiting");
        while (message === undefined) {
          selector.select(null);
          await new Promise((resolve) => setImmediate(resolve));
        }
        parentPort.postMessage("got " + message);
        parentPort.close();`);
    const exited = once(worker, "exit");
    await nextMessage(worker);
    const answer = nextMessage(worker);
    worker.postMessage("hello");
    expect(await answer).toBe("got hello");
    await exited;
  });

  it("is woken from another thread, whichever way it waits", async () => {
    for (const wait of [
      "selector.select(60_000)",
      "selector.select(null)",
      "await selector.wait()",
    ]) {
      const worker = startWorker(`
          const selector = new io.${className}();
          selector.register(io.listenTcp(), io.EVENT_READ);
          parentPort.postMessage(selector.waker().handle);
          const ready = ${wait};
          parentPort.postMessage(ready.length);
          selector.close();`);
      const exited = once(worker, "exit");
      const waker = openWaker((await nextMessage(worker)) as number);
      const answer = nextMessage(worker);
      waker.wake();
      expect(await answer).toBe(0);
      await exited;
      waker.wake(); // the selector is gone: nothing happens
      waker.close();
    }
  });
});

describe("workers", () => {
  it("each have selectors of their own, ten at once", async () => {
    const workers = Array.from({ length: 10 }, () =>
      startWorker(`
        for (let i = 0; i < 50; i++) {
          const selector = new io.DefaultSelector();
          const listener = io.listenTcp();
          const client = io.connectTcp({ port: io.localPort(listener) });
          selector.register(listener, io.EVENT_READ, "listener");
          while (selector.select(1000).length === 0);
          const server = io.accept(listener);
          selector.register(server, io.EVENT_READ, "server");
          selector.unregister(listener);
          io.send(client, new Uint8Array([i]));
          while (selector.select(1000).length === 0);
          const byte = new Uint8Array(1);
          if (io.recv(server, byte) !== 1 || byte[0] !== i) throw new Error("wrong byte");
          selector.close();
          for (const fd of [client, server, listener]) io.close(fd);
        }
        parentPort.postMessage("done");`),
    );
    expect(await Promise.all(workers.map(nextMessage))).toEqual(Array(10).fill("done"));
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  it("can load and unload the addon many times", async () => {
    for (let i = 0; i < 9; i++) {
      const worker = startWorker(`
        const selector = new io.DefaultSelector();
        selector.register(io.listenTcp(), io.EVENT_READ);
        if (${i % 3} === 0) selector.wait({ timeoutMs: 1 });
        if (${i % 3} === 1) new io.Reactor(selector).run();
        parentPort.postMessage("loaded");`);
      await nextMessage(worker);
      await worker.terminate();
    }
  });

  it("do not stall process.exit while they wait", async () => {
    const code = `
      import { Worker } from "node:worker_threads";
      const worker = new Worker(\`
        const { parentPort } = require("node:worker_threads");
        import(${JSON.stringify(library)}).then((io) => {
          const selector = new io.DefaultSelector();
          selector.register(io.listenTcp(), io.EVENT_READ);
          parentPort.postMessage("waiting");
          for (;;) selector.select(60_000);
        });\`, { eval: true, execArgv: [] });
      worker.once("message", () => setTimeout(() => process.exit(7), 20));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: "inherit",
      timeout: 20_000,
    });
    expect(await once(child, "exit")).toEqual([7, null]);
  });
});

describe("the main thread", () => {
  it.each(classNames)(
    "waits on %s to its deadline, whatever signals come meanwhile",
    async (_name, className) => {
      const code = `
        const io = await import(${JSON.stringify(library)});
        const selector = new io.${className}();
        selector.register(io.listenTcp(), io.EVENT_READ);
        let signals = 0;
        process.on("SIGUSR2", () => { signals++; });
        console.log("waiting");
        while (signals === 0) await new Promise((resolve) => setImmediate(resolve));
        const before = performance.now();
        const ready = selector.select(300);
        const waitedMs = performance.now() - before;
        const seen = signals;
        while (signals === seen) await new Promise((resolve) => setImmediate(resolve));
        console.log(JSON.stringify({ ready: ready.length, early: waitedMs < 299 }));
        process.exit();`;
      const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
        stdio: ["ignore", "pipe", "inherit"],
        timeout: 60_000,
      });
      let output = "";
      let signalling: NodeJS.Timeout | undefined;
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        signalling ??= setInterval(() => child.kill("SIGUSR2"), 10);
      });
      const exit = await once(child, "exit");
      clearInterval(signalling);
      expect(exit).toEqual([0, null]);
      expect(output).toBe('waiting\n{"ready":0,"early":false}\n');
    },
  );

  it("runs SIGINT handlers while it waits without a deadline", async () => {
    const code = `
      const io = await import(${JSON.stringify(library)});
      const selector = new io.DefaultSelector();
      selector.register(io.listenTcp(), io.EVENT_READ);
      let interrupted = false;
      process.on("SIGINT", () => { interrupted = true; });
      console.log("waiting");
      while (!interrupted) {
        selector.select(null);
        await new Promise((resolve) => setImmediate(resolve));
      }
      console.log("interrupted");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 20_000,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (output === "") child.kill("SIGINT");
      output += text;
    });
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(output).toBe("waiting\ninterrupted\n");
  });
});

describe("openWaker", () => {
  it.each([0, -1, 1.5, Number.NaN, 2 ** 32 + 1])("refuses %s", (handle) => {
    expect(() => openWaker(handle)).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
    );
  });

  it.each(["1", undefined, null])("refuses the type of %s", (handle) => {
    expect(() => openWaker(handle as unknown as number)).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }),
    );
  });

  it("does nothing for a selector that was never there", () => {
    openWaker(0x7ffffff0).wake();
  });
});
