// What the end of a worker does: it never aborts the process, and it closes what the library opened
// in that worker, and nothing else.

import { once } from "node:events";
import { closeSync, fstatSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import {
  close,
  connectTcp,
  DefaultSelector,
  EVENT_WRITE,
  keepOpen,
  listenTcp,
  localPort,
  PollSelector,
  pipe,
  socketError,
  socketPair,
} from "../src/index.ts";
import { waitFor } from "./conformance/socket-pair.ts";
import { runNode } from "./run-program.ts";

const library = pathToFileURL("dist/src/index.js").href;
const terminating = fileURLToPath(new URL("programs/terminate-workers.mjs", import.meta.url));

/** Kinds of calls that end in the middle together. */
const kinds = [
  "load",
  "selectors,backends,pipe,pair,pty,listen",
  "address,dup,throws,raw,register,wakers",
  "wait,run",
] as const;
/** Moments at which a worker of each kind is terminated: see terminate-workers.mjs. */
const MOMENTS = 6;
/** A load has many moments that differ; TERMINATION_ROUNDS repeats all for a longer search. */
const ROUNDS_OF_LOAD = 3;
const rounds = Number(process.env["TERMINATION_ROUNDS"] ?? 1);
const rows = kinds.map((list) => {
  const times = list === "load" ? ROUNDS_OF_LOAD : 1;
  return [list, rounds * times * MOMENTS * list.split(",").length] as const;
});

describe("worker.terminate()", () => {
  it.concurrent.each(rows)(
    "in the middle of %s does not abort the process",
    async (list, count) => {
      const child = await runNode([terminating, list, String(count)], 600_000);
      expect({ ...child, stderr: child.stderr.slice(0, 400) }).toMatchObject({
        stdout: `${count}\n`,
        status: 0,
      });
    },
    620_000,
  );
});

/** Runs `code` in a worker until it posts what it has to say, which is returned beside it. */
async function startWorker<T>(code: string, workerData?: unknown): Promise<[Worker, T]> {
  const source = `
    const { parentPort, workerData } = require("node:worker_threads");
    const fs = require("node:fs");
    import(${JSON.stringify(library)}).then(async (io) => { ${code} })`;
  const worker = new Worker(source, { eval: true, workerData });
  const [message] = (await once(worker, "message")) as [T];
  return [worker, message];
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

const STAYS = "setInterval(() => undefined, 1000);";

describe("the end of a worker", () => {
  it("closes its listener: a client is refused", async () => {
    const [worker, port] = await startWorker<number>(`
      const listener = io.listenTcp();
      const reactor = new io.Reactor(new io.DefaultSelector());
      reactor.registerHandler(listener, io.EVENT_READ, { onReadable() {}, onClose: io.close });
      parentPort.postMessage(io.localPort(listener));
      await reactor.run();`);
    await worker.terminate();
    const client = connectTcp({ port });
    waitFor(client, EVENT_WRITE);
    expect(socketError(client)).not.toBe(0);
    close(client);
    close(listenTcp({ port }));
  });

  it("closes a descriptor of every kind that it opened", async () => {
    const [worker, fds] = await startWorker<number[]>(`
      const listener = io.listenTcp(), [a, b] = io.socketPair(), pty = io.openPty();
      const client = io.connectTcp({ port: io.localPort(listener) });
      let accepted;
      while ((accepted = io.accept(listener)) < 0);
      parentPort.postMessage([listener, client, accepted, a, b, pty.controller, pty.terminal,
        io.dup(a), io.eventfd(), io.openTimer(1000), io.bindUdp(), ...io.pipe()]);
      ${STAYS}`);
    expect(fds.map(isOpen)).toEqual(fds.map(() => true));
    await worker.terminate();
    expect(fds.filter(isOpen)).toEqual([]);
  });

  it("closes them as well when the worker returns", async () => {
    const source = `
      import(${JSON.stringify(library)}).then((io) =>
        require("node:worker_threads").parentPort.postMessage(io.pipe()))`;
    const worker = new Worker(source, { eval: true });
    const exit = once(worker, "exit");
    const [fds] = (await once(worker, "message")) as [number[]];
    await exit;
    expect(fds.filter(isOpen)).toEqual([]);
  });

  it("leaves what was handed over: by keepOpen, and by registering it elsewhere", async () => {
    const [worker, [kept, taken, other]] = await startWorker<[number, number, number]>(`
      const [kept, taken] = io.pipe();
      io.keepOpen(kept);
      parentPort.postMessage([kept, taken, io.dup(taken)]);
      ${STAYS}`);
    using selector = new PollSelector();
    selector.register(taken, EVENT_WRITE);
    await worker.terminate();
    expect([kept, taken, other].map(isOpen)).toEqual([true, true, false]);
    selector.unregister(taken);
    close(kept);
    close(taken);
  });

  it("leaves a number that the worker closed and another thread opened", async () => {
    const [worker, number] = await startWorker<number>(`
      const [kept, fd] = io.pipe();
      parentPort.once("message", () => {
        io.close(fd);
        parentPort.postMessage("closed");
      });
      parentPort.postMessage(fd);
      ${STAYS}`);
    worker.postMessage("close");
    await once(worker, "message");
    const opened: number[] = [];
    while (!opened.includes(number)) opened.push(...socketPair());
    await worker.terminate();
    expect(opened.filter((fd) => !isOpen(fd))).toEqual([]);
    for (const fd of opened) close(fd);
  });

  it("leaves a number that was closed by other means and opened by another thread", async () => {
    const [worker, number] = await startWorker<number>(`
      parentPort.postMessage(io.pipe()[1]);
      ${STAYS}`);
    closeSync(number);
    const opened: number[] = [];
    while (!opened.includes(number)) opened.push(...pipe());
    await worker.terminate();
    expect(opened.filter((fd) => !isOpen(fd))).toEqual([]);
    for (const fd of opened) close(fd);
  });

  it("leaves a number that was closed by other means and is a selector's own by then", async () => {
    // Of the kinds that share one inode.
    const [worker, numbers] = await startWorker<number[]>(`
      parentPort.postMessage(Array.from({ length: 8 }, () => io.eventfd()));
      ${STAYS}`);
    for (const fd of numbers) closeSync(fd);
    const selectors = Array.from({ length: 4 }, () => new DefaultSelector());
    expect(numbers).toContain(selectors[0]?.fileno());
    await worker.terminate();
    const [reader, writer] = pipe();
    for (const selector of selectors) {
      selector.register(writer, EVENT_WRITE);
      expect(selector.poll(0)).toBe(1);
      selector.waker().wake();
      selector.unregister(writer);
      expect(selector.poll(10_000)).toBe(0);
      selector.close();
    }
    close(reader);
    close(writer);
  });

  it("leaves a descriptor of which the worker could not make a stream", async () => {
    const [reader, writer] = pipe();
    const [worker] = await startWorker(
      `try {
        io.toReadable(workerData, { encoding: "none such" });
      } catch {
        parentPort.postMessage("refused");
      }
      ${STAYS}`,
      reader,
    );
    await worker.terminate();
    expect(isOpen(reader)).toBe(true);
    close(reader);
    close(writer);
  });

  it("does not concern what the main thread opened and the worker used", async () => {
    const listener = listenTcp();
    const [worker] = await startWorker(
      `const selector = new io.DefaultSelector();
      selector.register(workerData, io.EVENT_READ);
      parentPort.postMessage("watching");
      ${STAYS}`,
      listener,
    );
    await worker.terminate();
    expect(localPort(listener)).toBeGreaterThan(0);
    close(listener);
  });

  it("keepOpen refuses what is no descriptor", () => {
    expect(() => keepOpen("1" as unknown as number)).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }),
    );
    expect(() => keepOpen(-1)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }));
  });
});
