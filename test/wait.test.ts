// Waiting on Node's loop, over every backend that works here: wait, for await, abort, ref.

import { spawnSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  close,
  EVENT_READ,
  EVENT_WRITE,
  type NativeSelector,
  pipe,
  Reactor,
  recv,
  send,
  write,
} from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe.each(selectorClasses)("wait over %s", (name, make) => {
  let fds: Descriptors;
  let selector: NativeSelector<string>;

  beforeEach(() => {
    fds = new Descriptors();
    selector = make();
  });
  afterEach(() => {
    selector.close();
    fds.closeAll();
  });

  it("says how it waits", () => {
    const own = selector.fileno() !== null;
    expect(selector.capabilities.asyncWait).toBe(own ? "nested" : "thread");
  });

  it("gives what is ready already", async () => {
    const [a] = fds.pair();
    const key = selector.register(a, EVENT_WRITE);
    expect(await selector.wait()).toEqual([{ key, events: EVENT_WRITE }]);
  });

  it("waits without blocking Node's loop", async () => {
    const [a, b] = fds.pair();
    const key = selector.register(a, EVENT_READ);
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks === 3) send(b, bytes("x"));
    }, 2);
    expect(await selector.wait()).toEqual([{ key, events: EVENT_READ }]);
    clearInterval(timer);
    expect(ticks).toBeGreaterThanOrEqual(3);
  });

  it("sees what is registered, modified and unregistered while it waits", async () => {
    const [a, b] = fds.pair();
    const [c, d] = fds.pair();
    selector.register(a, EVENT_READ);
    const unwanted = selector.wait({ timeoutMs: 30 });
    selector.unregister(a);
    send(b, bytes("x"));
    expect(await unwanted).toEqual([]);
    const late = selector.wait();
    setTimeout(() => {
      selector.register(c, EVENT_READ, "late");
      send(d, bytes("x"));
    }, 2);
    expect((await late)[0]?.key.data).toBe("late");
    recv(c, new Uint8Array(1));
    const modified = selector.wait();
    setTimeout(() => selector.modify(c, EVENT_WRITE), 2);
    expect((await modified)[0]?.events).toBe(EVENT_WRITE);
  });

  it("times out, never early", async () => {
    selector.register(fds.pair()[0], EVENT_READ);
    for (const timeoutMs of [0, -1, 0.5, 3, 25]) {
      const started = performance.now();
      expect(await selector.wait({ timeoutMs })).toEqual([]);
      expect(performance.now() - started).toBeGreaterThanOrEqual(timeoutMs);
    }
    await expect(selector.wait({ timeoutMs: Number.NaN })).rejects.toThrow(RangeError);
  });

  it("ends on an abort signal with its reason", async () => {
    selector.register(fds.pair()[0], EVENT_READ);
    const reason = new Error("enough");
    await expect(selector.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 2);
    await expect(selector.wait({ signal: controller.signal })).rejects.toBe(reason);
    expect(await selector.wait({ timeoutMs: 1 })).toEqual([]);
  });

  it("rejects where the selector is closed meanwhile, and after", async () => {
    selector.register(fds.pair()[0], EVENT_READ);
    const closed = expect.objectContaining({ code: "ERR_SELECTOR_CLOSED" });
    const waiting = selector.wait();
    setTimeout(() => selector.close(), 2);
    await expect(waiting).rejects.toThrow(closed);
    await expect(selector.wait()).rejects.toThrow(closed);
  });

  it("ends on a wake, which sticks", async () => {
    selector.register(fds.pair()[0], EVENT_READ);
    const waker = selector.waker();
    waker.wake();
    waker.wake();
    expect(await selector.wait()).toEqual([]);
    const waiting = selector.wait();
    setTimeout(() => waker.wake(), 2);
    expect(await waiting).toEqual([]);
    expect(await selector.wait({ timeoutMs: 2 })).toEqual([]);
  });

  it("ends on a wake that another look takes", async () => {
    selector.register(fds.pair()[0], EVENT_READ);
    const looks = [() => selector.poll(0), () => selector.poll(5000), () => selector.wait()];
    for (const look of looks) {
      const waiting = selector.wait();
      await delay(10); // it sleeps
      selector.waker().wake();
      await look();
      const late = delay(5000, "late", { ref: false });
      expect(await Promise.race([waiting, late])).toEqual([]);
    }
  });

  it("serves several waits at once", async () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ);
    const first = selector.wait();
    const second = selector.wait({ timeoutMs: 5000 });
    setTimeout(() => send(b, bytes("x")), 2);
    expect(await Promise.race([first, second])).toHaveLength(1);
    const rest = await Promise.all([first, second]);
    expect(rest.flat().length).toBeGreaterThanOrEqual(1);
  });

  it("takes no thread of Node's pool", async () => {
    // As many as the pool has by default, and some more.
    const selectors = Array.from({ length: 8 }, () => make<string>());
    const waits = selectors.map((one) => {
      one.register(fds.pair()[0], EVENT_READ);
      return one.wait();
    });
    expect((await stat(".")).isDirectory()).toBe(true);
    for (const one of selectors) one.waker().wake();
    expect(await Promise.all(waits)).toEqual(Array(8).fill([]));
    for (const one of selectors) one.close();
  });

  it("lets the thread itself look in between", async () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ);
    for (let i = 0; i < 3; i++) {
      const waiting = selector.wait();
      const beside = selector.wait();
      expect(selector.poll(0)).toBe(0);
      send(b, bytes("x"));
      waitFor(a, EVENT_READ);
      expect(selector.select(0)).toHaveLength(1);
      expect(await waiting).toHaveLength(1);
      expect(await beside).toHaveLength(1);
      recv(a, new Uint8Array(8));
      const woken = selector.wait();
      selector.waker().wake();
      expect(selector.select(0)).toEqual([]);
      send(b, bytes("x"));
      waitFor(a, EVENT_READ);
      expect(await woken).toHaveLength(1);
      recv(a, new Uint8Array(8));
    }
  });

  it("goes on where another registered descriptor is closed", async () => {
    const [a, b] = fds.pair();
    const [c] = fds.pair();
    selector.register(a, EVENT_READ);
    selector.register(c, EVENT_READ);
    const waiting = selector.wait();
    send(b, bytes("x"));
    waitFor(a, EVENT_READ);
    fds.close(c);
    let ready = await waiting;
    // select tells of closed ones first.
    if (ready.every(({ key }) => key.fd === c)) ready = await selector.wait();
    expect(ready.map(({ key }) => key.fd)).toContain(a);
  });

  it("keeps no file open that its owner closes", async () => {
    const [a, b] = fds.pair();
    const [c, d] = fds.pair();
    selector.register(a, EVENT_READ);
    selector.register(c, EVENT_READ);
    const waiting = selector.wait();
    await delay(20); // whatever waits beside us has begun
    fds.close(c);
    waitFor(d, EVENT_READ);
    expect(recv(d, new Uint8Array(1))).toBe(0);
    send(b, bytes("x"));
    await waiting;
  });

  it("lets the thread itself wait in between", async () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ);
    const waiting = selector.wait();
    expect(selector.select(2)).toEqual([]);
    send(b, bytes("x"));
    expect(selector.select(5000)).toHaveLength(1);
    expect(await waiting).toHaveLength(1);
  });

  it("gives the thread to a Reactor afterwards", async () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_WRITE);
    await selector.wait();
    selector.unregister(a);
    const reactor = new Reactor(selector);
    reactor.registerHandler(b, EVENT_READ, { onReadable: () => reactor.stop() });
    setTimeout(() => send(a, bytes("x")), 5);
    await reactor.run();
    reactor.removeHandler(b);
    selector.register(a, EVENT_WRITE);
    expect(await selector.wait()).toHaveLength(1);
  });

  it("iterates until it is closed", async () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ);
    const received: string[] = [];
    const buffer = new Uint8Array(16);
    send(b, bytes("1"));
    for await (const ready of selector) {
      for (const { key } of ready) {
        received.push(new TextDecoder().decode(buffer.subarray(0, recv(key.fd, buffer))));
      }
      if (received.length === 5) selector.close();
      else setTimeout(() => send(b, bytes(String(received.length + 1))), 1);
    }
    expect(received).toEqual(["1", "2", "3", "4", "5"]);
  });

  it("goes on after break", async () => {
    const [a] = fds.pair();
    selector.register(a, EVENT_WRITE);
    for await (const ready of selector) {
      expect(ready).toHaveLength(1);
      break;
    }
    expect(await selector.wait()).toHaveLength(1);
  });

  it("carries every byte of a stream, wait by wait", async () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ);
    const buffer = new Uint8Array(64);
    const total = 20_000;
    let received = 0;
    let sent = 0;
    while (received < total) {
      if (sent === received) sent += Math.max(0, send(b, buffer));
      for (const { key } of await selector.wait()) received += recv(key.fd, buffer);
    }
    expect(received).toBe(sent);
  });

  it("goes on under a load that never ends, beside work of Node", async () => {
    // Each look has events, until one ends empty for Node's sake and takes none.
    const [reader, writer] = pipe();
    selector.register(reader, EVENT_READ);
    write(writer, bytes("x"));
    let looks = 0;
    for await (const ready of selector) {
      looks += ready.length;
      if (looks >= 1000) break;
    }
    expect(looks).toBe(1000);
    for (const fd of [reader, writer]) close(fd);
  });

  it("does not look without end at the hang-up of what only writes", async () => {
    const [reader, writer] = pipe();
    selector.register(reader, EVENT_WRITE);
    close(writer);
    let looks = 0;
    const select = selector.select.bind(selector);
    selector.select = (timeoutMs) => {
      looks++;
      return select(timeoutMs);
    };
    const ready = await selector.wait({ timeoutMs: 60 });
    expect(looks).toBeLessThan(5);
    // select(2) does not report it on Linux and the BSDs.
    if (name !== "select") expect(ready).toHaveLength(1);
    // Nor does it hide what else is ready.
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ);
    setTimeout(() => send(b, bytes("x")), 5);
    let others = ready;
    while (!others.some(({ key }) => key.fd === a)) others = await selector.wait();
    close(reader);
  });

  it.each([
    ["keeps the process alive", "", "woken"],
    ["does not once it is unref'd", "selector.unref();", "left"],
    ["does not either until a deadline", "selector.unref(); selector.wait({ timeoutMs });", "left"],
    ["does not from unref() on", "selector.wait({ timeoutMs }); selector.unref();", "left"],
  ])("%s", (_case, line, expected) => {
    const script = `
      import { ${selector.constructor.name}, listenTcp, EVENT_READ } from "./dist/src/index.js";
      const selector = new ${selector.constructor.name}();
      const timeoutMs = 1e6;
      selector.register(listenTcp(), EVENT_READ);
      ${line}
      let answer = "left";
      process.on("exit", () => console.log(answer));
      setTimeout(() => selector.waker().wake(), 100).unref();
      selector.wait().then(() => { answer = "woken"; });`;
    // Unref'd, the process leaves at once; kept alive, it waits for the wake of an unref'd timer.
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      timeout: 20_000,
      encoding: "utf8",
    });
    expect(child.stderr).toBe("");
    expect(child.stdout.trim()).toBe(expected);
  });
});
