// Signals as descriptors: on every backend, with Node's own listeners, in workers, and what is
// left once they are closed.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  availableBackends,
  close,
  DefaultSelector,
  EpollSelector,
  EVENT_READ,
  IoUringSelector,
  KqueueSelector,
  openSignals,
  PollSelector,
  pipe,
  readSignals,
  SelectSelector,
} from "../src/index.ts";
import { Descriptors } from "./conformance/socket-pair.ts";

const library = new URL("../dist/src/index.js", import.meta.url).href;
const classes = {
  epoll: EpollSelector,
  io_uring: IoUringSelector,
  kqueue: KqueueSelector,
  poll: PollSelector,
  select: SelectSelector,
};
const backends = availableBackends().flatMap(({ name, available }) => (available ? [name] : []));

let fds: Descriptors;
beforeEach(() => {
  fds = new Descriptors();
});
afterEach(() => fds.closeAll());

const raise = (signal: NodeJS.Signals) => process.kill(process.pid, signal);

/** Blocks this thread until `count` signals have come. */
function take(fd: number, count: number): NodeJS.Signals[] {
  using selector = new DefaultSelector();
  selector.register(fd, EVENT_READ);
  const taken: NodeJS.Signals[] = [];
  while (taken.length < count) {
    if (selector.poll(5000) === 0) throw new Error(`only ${taken.join(", ")} in 5 s`);
    taken.push(...readSignals(fd));
  }
  return taken.sort();
}

/** A program of its own, because the default action of a signal would end this one. */
const run = (program: string) =>
  spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
    timeout: 20_000,
  });

describe.each(backends)("signals with %s", (backend) => {
  it("are readable until they are taken, while this thread blocks", () => {
    using selector = new classes[backend]();
    const fd = fds.keep(openSignals(["SIGUSR2", "SIGHUP"]));
    selector.register(fd, EVENT_READ);
    expect(selector.poll(0)).toBe(0);
    expect(readSignals(fd)).toEqual([]);
    for (const signal of ["SIGUSR2", "SIGHUP"] as const) raise(signal);
    expect(selector.poll(5000)).toBe(1);
    expect(take(fd, 2)).toEqual(["SIGHUP", "SIGUSR2"]);
    expect(selector.poll(0)).toBe(0);
    raise("SIGHUP");
    expect(selector.poll(5000)).toBe(1);
    expect(readSignals(fd)).toEqual(["SIGHUP"]);
  });
});

describe("signals", () => {
  it("reach each descriptor, and Node's own listeners", async () => {
    const one = fds.keep(openSignals(["SIGUSR2"]));
    const early = once(process, "SIGUSR2");
    const two = fds.keep(openSignals(["SIGUSR2", "SIGHUP"]));
    raise("SIGUSR2");
    for (const fd of [one, two]) expect(take(fd, 1)).toEqual(["SIGUSR2"]);
    await early;
    const late = once(process, "SIGUSR2");
    raise("SIGUSR2");
    await late;
    for (const fd of [one, two]) expect(take(fd, 1)).toEqual(["SIGUSR2"]);
    // The listeners are gone now: libuv must not have gone back to the default action.
    raise("SIGUSR2");
    for (const fd of [one, two]) expect(take(fd, 1)).toEqual(["SIGUSR2"]);
    fds.close(one);
    raise("SIGUSR2");
    expect(take(two, 1)).toEqual(["SIGUSR2"]);
  });

  it("SIGCHLD leaves Node its children", async () => {
    const fd = fds.keep(openSignals(["SIGCHLD"]));
    const child = spawn(process.execPath, ["--eval", "process.exitCode = 7"]);
    expect(await once(child, "exit")).toEqual([7, null]);
    expect(take(fd, 1)).toEqual(["SIGCHLD"]);
  });

  it("reach a worker that blocks permanently", async () => {
    const code = `(async () => {
      const io = await import("${library}");
      const { parentPort } = await import("node:worker_threads");
      const fd = io.openSignals(["SIGUSR2"]);
      const selector = new io.DefaultSelector();
      selector.register(fd, io.EVENT_READ);
      parentPort.postMessage("ready");
      let taken = [];
      while (taken.length === 0) {
        selector.poll(null); // which Node's own events end as well
        taken = io.readSignals(fd);
      }
      parentPort.postMessage(taken); // and it ends, without closing
    })()`;
    const worker = new Worker(code, { eval: true });
    const exited = once(worker, "exit");
    expect(await once(worker, "message")).toEqual(["ready"]);
    const own = fds.keep(openSignals(["SIGUSR2"]));
    raise("SIGUSR2");
    expect(await once(worker, "message")).toEqual([["SIGUSR2"]]);
    await exited;
    expect(take(own, 1)).toEqual(["SIGUSR2"]);
    raise("SIGUSR2"); // the worker's end has closed its own watch, and no other
    expect(take(own, 1)).toEqual(["SIGUSR2"]);
  });

  it("are let through again once their descriptor is closed, or its worker gone", () => {
    const closed = run(`
      const io = await import("${library}");
      const fd = io.openSignals(["SIGTERM"]);
      process.kill(process.pid, "SIGTERM");
      const selector = new io.PollSelector();
      selector.register(fd, io.EVENT_READ);
      selector.poll(5000);
      console.log(io.readSignals(fd).join());
      selector.unregister(fd);
      io.close(fd);
      process.kill(process.pid, "SIGTERM");
      setInterval(() => {}, 1000);`);
    expect(closed).toMatchObject({ stdout: "SIGTERM\n", signal: "SIGTERM" });
    const gone = run(`
      import { Worker } from "node:worker_threads";
      const code = '(async () => { (await import("${library}")).openSignals(["SIGTERM"]); })()';
      const worker = new Worker(code, { eval: true });
      worker.on("exit", () => {
        console.log("gone");
        process.kill(process.pid, "SIGTERM");
        setInterval(() => {}, 1000);
      });`);
    expect(gone).toMatchObject({ stdout: "gone\n", signal: "SIGTERM" });
  });

  it("do not reach the children's masks or handlers", async () => {
    fds.keep(openSignals(["SIGTERM"]));
    const child = spawn("sh", ["-c", "echo ready; while :; do sleep 0.01; done"]);
    for await (const line of createInterface({ input: child.stdout })) {
      expect(line).toBe("ready");
      break;
    }
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    expect(await exited).toEqual([null, "SIGTERM"]);
  });

  it("end a program while it blocks in select, whatever its loop would do", () => {
    const { stdout, status } = run(`
      const io = await import("${library}");
      const fd = io.openSignals(["SIGTERM", "SIGINT"]);
      const selector = new io.DefaultSelector();
      selector.register(fd, io.EVENT_READ);
      (await import("node:child_process")).spawn("kill", ["-TERM", String(process.pid)]);
      let taken = [];
      // Node's own events, such as the child's end, end a select() with nothing ready.
      while (taken.length === 0) {
        selector.select();
        taken = io.readSignals(fd);
      }
      console.log(taken.join());`);
    expect({ stdout, status }).toEqual({ stdout: "SIGTERM\n", status: 0 });
  });

  it("count a closed descriptor as closed, however it was closed", () => {
    const fd = openSignals(["SIGUSR2"]);
    expect(close(fd)).toBe(0);
    const refused = expect.objectContaining({ code: "EBADF", syscall: "read" });
    expect(() => readSignals(fd)).toThrow(refused);
    const [reader] = pipe().map((end) => fds.keep(end));
    expect(() => readSignals(reader ?? -1)).toThrow(refused);
    const other = openSignals(["SIGUSR2"]);
    closeSync(other);
    const again = fds.keep(openSignals(["SIGHUP"]));
    raise("SIGHUP");
    expect(take(again, 1)).toEqual(["SIGHUP"]);
  });

  it("have the names that they were asked by, each once", () => {
    const names = ["SIGIO", "SIGPOLL", "SIGABRT"] as const;
    const fd = openSignals(names);
    for (const name of ["SIGIO", "SIGABRT"] as const) raise(name);
    expect(take(fd, 2)).toEqual(["SIGABRT", "SIGIO"]);
    expect(readSignals(fd)).toEqual([]);
    close(fd);
  });

  it("refuse what cannot be handled", () => {
    for (const signal of ["SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"] as const) {
      expect(() => openSignals([signal])).toThrow(/cannot be handled safely/);
    }
    for (const name of ["SIGNONE", "TERM", "toString", ""]) {
      expect(() => openSignals([name as NodeJS.Signals])).toThrow(RangeError);
    }
    for (const name of [15, null, undefined, {}]) {
      expect(() => openSignals([name as NodeJS.Signals])).toThrow(TypeError);
    }
    expect(() => openSignals([])).toThrow(RangeError);
    expect(() => openSignals("SIGTERM" as unknown as NodeJS.Signals[])).toThrow(TypeError);
    expect(() => readSignals(Number.NaN)).toThrow(RangeError);
  });
});
