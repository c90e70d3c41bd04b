// What the backends have beyond the common contract: the modes, files, whose file a pending poll
// holds, and how each refuses what it lacks.

import { openSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  availableBackends,
  type Capabilities,
  close,
  dup,
  EVENT_READ,
  EVENT_WRITE,
  pipe,
  read,
  recv,
  type Selector,
  send,
  shutdown,
  write,
} from "../src/index.ts";
import { missingBackends, selectorClasses } from "./conformance/backends.ts";
import { Descriptors, fill, waitFor } from "./conformance/socket-pair.ts";

const BOTH = EVENT_READ | EVENT_WRITE;
const BYTE = new Uint8Array(1);

let fds: Descriptors;
let selector: Selector<string>;

beforeEach(() => {
  fds = new Descriptors();
});
afterEach(() => {
  selector?.close();
  fds.closeAll();
});

/** Both ends of a pipe, the reading one first. */
function openPipe(): [number, number] {
  const [reader, writer] = pipe();
  return [fds.keep(reader), fds.keep(writer)];
}

function backendsWith(capability: keyof Capabilities) {
  return selectorClasses.filter(([, make]) => {
    using probe = make();
    return probe.capabilities[capability] === true;
  });
}

describe("availableBackends", () => {
  it("names all five, and why one is not here", () => {
    const names = availableBackends().map(({ name }) => name);
    expect([...names].sort()).toEqual(["epoll", "io_uring", "kqueue", "poll", "select"]);
    for (const [, reason] of missingBackends) expect(reason).not.toBe("");
  });

  it("gives io_uring, and an emulated kqueue, only to programs that ask for them by name", () => {
    for (const { name, byDefault } of availableBackends()) {
      if (name === "io_uring") expect(byDefault).toBe(false);
      if (name === "kqueue") expect(byDefault).toBe(process.platform !== "linux");
    }
  });
});

describe.each(selectorClasses)("%s", (_name, make) => {
  beforeEach(() => {
    selector = make();
  });

  it.each(["edge", "oneshot"] as const)("has the mode %s, or names who has", (mode) => {
    const [a] = fds.pair();
    const register = () => selector.register(a, EVENT_READ, "a", { mode });
    if (selector.capabilities[mode]) {
      expect(register().data).toBe("a");
      return;
    }
    expect(register).toThrow(expect.objectContaining({ code: "ERR_SELECTOR_UNSUPPORTED" }));
    for (const [having] of backendsWith(mode)) expect(register).toThrow(having);
    expect(selector.size).toBe(0);
  });

  it.each(["exclusive", "priority"] as const)("has the option %s, or refuses it", (option) => {
    const [a] = fds.pair();
    const register = () => selector.register(a, EVENT_READ, "a", { [option]: true });
    if (selector.capabilities[option]) expect(register().fd).toBe(a);
    else expect(register).toThrow(expect.objectContaining({ code: "ERR_SELECTOR_UNSUPPORTED" }));
  });

  it("does with a regular file what its capabilities say", () => {
    const file = fds.keep(openSync(new URL(import.meta.url), "r"));
    if (selector.capabilities.regularFiles) {
      const key = selector.register(file, EVENT_READ);
      expect(selector.select(0)).toEqual([{ key, events: EVENT_READ }]);
      return;
    }
    expect(() => selector.register(file, EVENT_READ)).toThrow(
      expect.objectContaining({ code: "EPERM" }),
    );
    expect(selector.size).toBe(0);
  });

  it("does not report what was taken before the wait", () => {
    const [a, b] = fds.pair();
    const key = selector.register(a, EVENT_READ);
    for (let i = 0; i < 3; i++) {
      expect(selector.select(0)).toEqual([]);
      send(b, BYTE);
      waitFor(a, EVENT_READ);
      recv(a, new Uint8Array(8));
    }
    expect(selector.select(0)).toEqual([]);
    send(b, BYTE);
    expect(selector.select(5000)).toEqual([{ key, events: EVENT_READ }]);
  });

  it.each([
    ["after a wait", () => {}],
    ["after modify", (fd: number) => selector.modify(fd, BOTH)],
    [
      "after modify and a wait",
      (fd: number) => {
        selector.modify(fd, BOTH);
        selector.select(0);
        selector.modify(fd, EVENT_READ);
      },
    ],
  ])("lets go of what is unregistered, %s: its peer sees the end", (_case, between) => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ);
    expect(selector.select(0)).toEqual([]);
    between(a);
    selector.unregister(a);
    fds.close(a);
    waitFor(b, EVENT_READ);
    expect(recv(b, new Uint8Array(8))).toBe(0);
  });

  it("lets go of everything when it is closed", () => {
    const [a, b] = fds.pair();
    const [c, d] = fds.pair();
    selector.register(a, EVENT_READ);
    selector.register(c, BOTH);
    expect(selector.select(0)).toHaveLength(1);
    selector.close();
    fds.close(a);
    fds.close(c);
    for (const peer of [b, d]) {
      waitFor(peer, EVENT_READ);
      expect(recv(peer, new Uint8Array(8))).toBe(0);
    }
  });

  it("reports what it watched and was closed at most once, and sleeps", () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ);
    expect(selector.select(0)).toEqual([]);
    fds.close(a);
    fds.close(b);
    let reports = 0;
    for (let i = 0; i < 5; i++) reports += selector.select(5).length;
    expect(reports).toBeLessThanOrEqual(1);
    selector.unregister(a);
  });

  it("waits for room in a connection that the peer half closed, without spinning", () => {
    const [a, b] = fds.pair();
    fill(a);
    const key = selector.register(a, EVENT_WRITE);
    shutdown(b, "write");
    waitFor(a, EVENT_READ);
    const before = process.cpuUsage();
    expect(selector.select(300)).toEqual([]);
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(200_000); // µs; a spin takes all of the 300 000
    while (recv(b, new Uint8Array(1 << 20)) > 0) {
      // until it is empty: the kernel wakes the writer past a third only
    }
    for (let i = 0; i < 3; i++)
      expect(selector.select(5000)).toEqual([{ key, events: EVENT_WRITE }]);
    fill(a);
    expect(selector.select(0)).toEqual([]);
  });

  it("watches one open file by many numbers", () => {
    const [reader, writer] = openPipe();
    const numbers = Array.from({ length: 700 }, () => fds.keep(dup(reader)));
    for (const fd of numbers) selector.register(fd, EVENT_READ);
    expect(selector.select(0)).toEqual([]);
    write(writer, BYTE);
    const seen = new Set<number>();
    for (let i = 0; i < 10; i++) for (const { key } of selector.select(0)) seen.add(key.fd);
    expect(seen.size).toBe(numbers.length);
    read(reader, BYTE);
    expect(selector.select(0)).toEqual([]);
    for (const fd of numbers) selector.unregister(fd);
    write(writer, BYTE);
    expect(selector.select(0)).toEqual([]);
  });
});

describe.each(backendsWith("edge"))("edges over %s", (_name, make) => {
  beforeEach(() => {
    selector = make();
  });

  it("are reported once each, whether or not they are taken", () => {
    const [a, b] = fds.pair();
    send(b, BYTE);
    waitFor(a, EVENT_READ);
    const key = selector.register(a, EVENT_READ, "a", { mode: "edge" });
    for (let i = 0; i < 3; i++) {
      expect(selector.select(5000)).toEqual([{ key, events: EVENT_READ }]);
      expect(selector.select(2)).toEqual([]);
      send(b, BYTE);
    }
  });

  it("come again with modify", () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ, "a", { mode: "edge" });
    send(b, BYTE);
    expect(selector.select(5000)).toHaveLength(1);
    const key = selector.modify(a, BOTH);
    expect(selector.select(0)).toEqual([{ key, events: BOTH }]);
    expect(selector.select(0)).toEqual([]);
  });

  it("are not lost where the ring has no room", () => {
    const pipes = Array.from({ length: 600 }, openPipe);
    for (const [reader] of pipes) selector.register(reader, EVENT_READ, "", { mode: "edge" });
    expect(selector.select(0)).toEqual([]);
    for (const [, writer] of pipes) write(writer, BYTE);
    const seen: number[] = [];
    for (let i = 0; i < 10; i++) seen.push(...selector.select(0).map(({ key }) => key.fd));
    expect(seen.length).toBe(pipes.length);
    expect(new Set(seen).size).toBe(pipes.length);
  });

  it("come once from what is always ready", ({ skip }) => {
    skip(!selector.capabilities.regularFiles, "refuses such a file when it is registered: EPERM");
    for (const path of [new URL(import.meta.url), "/dev/null"]) {
      const fd = fds.keep(openSync(path, "r"));
      const key = selector.register(fd, EVENT_READ, "", { mode: "edge" });
      expect(selector.select(0)).toEqual([{ key, events: EVENT_READ }]);
      expect(selector.select(2)).toEqual([]);
    }
  });

  it("are one event, however many they were", () => {
    const [reader, writer] = openPipe();
    const key = selector.register(reader, EVENT_READ, "", { mode: "edge" });
    expect(selector.select(0)).toEqual([]);
    // More than the 4096 that io_uring's ring of completions holds.
    for (let i = 0; i < 6000; i++) write(writer, BYTE);
    expect(selector.select(0)).toEqual([{ key, events: EVENT_READ }]);
    expect(selector.select(0)).toEqual([]);
    write(writer, BYTE);
    expect(selector.select(0)).toEqual([{ key, events: EVENT_READ }]);
  });
});

describe.each(backendsWith("oneshot"))("oneshot over %s", (_name, make) => {
  beforeEach(() => {
    selector = make();
  });

  it("reports once, whichever direction came first, until it is modified", () => {
    const [a, b] = fds.pair();
    selector.register(a, BOTH, "a", { mode: "oneshot" });
    expect(selector.select(0).map(({ events }) => events)).toEqual([EVENT_WRITE]);
    send(b, BYTE);
    waitFor(a, EVENT_READ);
    expect(selector.select(2)).toEqual([]);
    selector.modify(a, BOTH);
    expect(selector.select(0).map(({ events }) => events)).toEqual([BOTH]);
    expect(selector.select(2)).toEqual([]);
  });

  it("is not used up by what was taken before the wait", () => {
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ, "a", { mode: "oneshot" });
    expect(selector.select(0)).toEqual([]);
    send(b, BYTE);
    waitFor(a, EVENT_READ);
    recv(a, new Uint8Array(8));
    expect(selector.select(0)).toEqual([]);
    send(b, BYTE);
    expect(selector.select(5000)).toHaveLength(1);
    expect(selector.select(2)).toEqual([]);
  });
});

describe.each(backendsWith("exclusive"))("exclusive over %s", (_name, make) => {
  it("tells one of two selectors at least, and can be modified", () => {
    selector = make();
    using second = make<string>();
    const listener = fds.listener();
    for (const one of [selector, second]) {
      one.register(listener, EVENT_READ, "", { exclusive: true });
      expect(one.select(0)).toEqual([]);
    }
    fds.connectTo(listener);
    waitFor(listener, EVENT_READ);
    expect(selector.select(0).length + second.select(0).length).toBeGreaterThanOrEqual(1);
    selector.modify(listener, BOTH);
    expect(selector.select(0).map(({ events }) => events)).toEqual([EVENT_READ]);
  });
});

describe.each(backendsWith("priority"))("priority over %s", (_name, make) => {
  it("is not claimed of plain data", () => {
    selector = make();
    const [a, b] = fds.pair();
    selector.register(a, EVENT_READ, "a", { priority: true });
    expect(selector.select(0)).toEqual([]);
    send(b, BYTE);
    expect(selector.poll(5000)).toBe(1);
    expect(selector.readyFlags(0)).toBe(0);
  });
});

describe.each(selectorClasses.filter(([name]) => name === "io_uring"))("%s", (_name, make) => {
  it("tells its descriptor", () => {
    selector = make();
    expect(selector.fileno()).toBeGreaterThan(2);
  });

  it("reports a descriptor that is none once, with ERROR, as poll does", () => {
    selector = make();
    const [a] = openPipe();
    fds.close(a);
    const key = selector.register(a, EVENT_READ);
    expect(selector.select(0)).toEqual([{ key, events: EVENT_READ }]);
    expect(selector.select(2)).toEqual([]);
    selector.unregister(a);
    expect(close(a)).toBeLessThan(0);
  });
});
