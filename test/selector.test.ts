// Every backend of this build against the one contract, and what only one of them has.

import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  close,
  DefaultSelector,
  EpollSelector,
  EVENT_READ,
  EVENT_WRITE,
  PollSelector,
  SelectSelector,
} from "../src/index.ts";
import { missingBackends, selectorClasses } from "./conformance/backends.ts";
import { selectorSuite } from "./conformance/selector-suite.ts";
import { Descriptors } from "./conformance/socket-pair.ts";

for (const [name, make] of selectorClasses) selectorSuite(name, make);
for (const [name, reason] of missingBackends) it.skip(`Selector over ${name}: ${reason}`);
selectorSuite("the default backend", () => new DefaultSelector());

describe("the default backend without a descriptor", () => {
  const program = `
    import * as io from "./dist/src/index.js";
    const [reader] = io.pipe();
    const open = [];
    try { for (;;) open.push(io.dup(reader)); } catch {}
    const made = [];
    const make = () => {
      try {
        const selector = new io.DefaultSelector();
        made.push(selector.backend);
        selector.close();
      } catch (error) {
        made.push(error.code);
      }
    };
    const [{ name, reason }] = io.availableBackends().filter(({ byDefault }) => byDefault);
    for (let free = 0; free < 5; free++) {
      make();
      io.close(open.pop());
    }
    for (const fd of open) io.close(fd);
    make();
    console.log(JSON.stringify({ made, name, reason }));`;

  it("throws EMFILE, and chooses when there are some", () => {
    const shell = 'ulimit -n 64; exec "$0" --input-type=module --eval "$1"';
    const { stdout } = spawnSync("sh", ["-c", shell, process.execPath, program]);
    const { made, name, reason } = JSON.parse(String(stdout));
    expect(new Set(made)).toEqual(new Set(["EMFILE", name]));
    expect(made.at(-1)).toBe(name);
    expect(reason).toMatch(/^\w+: EMFILE$/);
  });
});

describe("select", () => {
  it("refuses descriptors from FD_SETSIZE on, before it asks the system", () => {
    using selector = new SelectSelector();
    expect(() => selector.register(1024, EVENT_READ)).toThrow(RangeError);
    expect(() => selector.register(1024, EVENT_READ)).toThrow(/fdSetSize/);
  });

  it("watches descriptors above FD_SETSIZE with a larger set", () => {
    const fds = new Descriptors();
    try {
      let [a] = fds.pair();
      while (a < 1100) [a] = fds.pair();
      using selector = new SelectSelector({ fdSetSize: 4096 });
      const key = selector.register(a, EVENT_WRITE);
      expect(selector.select(1000)).toEqual([{ key, events: EVENT_WRITE }]);
    } finally {
      fds.closeAll();
    }
  });
});

describe("epoll", () => {
  it("tells its descriptor", () => {
    using selector = new EpollSelector();
    expect(selector.fileno()).toBeGreaterThan(2);
  });

  it("gives what the system refused in Node's form, and keeps nothing", () => {
    using selector = new EpollSelector();
    const regular = openSync(new URL(import.meta.url), "r");
    try {
      expect(() => selector.register(regular, EVENT_READ)).toThrow(
        expect.objectContaining({ code: "EPERM", syscall: "epoll_ctl", errno: -1 }),
      );
      expect(selector.size).toBe(0);
      expect(selector.getMap()?.has(regular)).toBe(false);
    } finally {
      close(regular);
    }
  });

  it("refuses a closed descriptor", () => {
    using selector = new EpollSelector();
    const fds = new Descriptors();
    const [a] = fds.pair();
    fds.closeAll();
    expect(() => selector.register(a, EVENT_READ)).toThrow(
      expect.objectContaining({ code: "EBADF", syscall: "epoll_ctl" }),
    );
    expect(() => selector.register(a, EVENT_READ)).toThrow("(the descriptor is not open)");
  });
});

describe("poll and select", () => {
  it("report a regular file as ready, as POSIX says", () => {
    const regular = openSync(new URL(import.meta.url), "r");
    try {
      for (const selector of [new PollSelector(), new SelectSelector()]) {
        using scoped = selector;
        scoped.register(regular, EVENT_READ);
        expect(scoped.select(0)).toHaveLength(1);
      }
    } finally {
      close(regular);
    }
  });

  it("have no descriptor of their own", () => {
    using selector = new PollSelector();
    expect(selector.fileno()).toBeNull();
  });
});
