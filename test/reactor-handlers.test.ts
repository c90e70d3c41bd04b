// The Reactor's handlers: what it refuses, what becomes of errors, suspending, replacing, closing,
// and waits that a handler makes itself.

import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  DefaultSelector,
  EVENT_READ,
  EVENT_WRITE,
  type EventHandler,
  FLAG_READ_CLOSED,
  type NativeSelector,
  Reactor,
  type RegisterOptions,
  recv,
  type Selector,
  send,
  shutdown,
} from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";

const BOTH = EVENT_READ | EVENT_WRITE;
const library = pathToFileURL("dist/src/index.js").href;
const failing = (code: string) => expect.objectContaining({ code });

let fds: Descriptors;
let selector: NativeSelector;
let reactor: Reactor;
let errors: unknown[];

beforeEach(() => {
  fds = new Descriptors();
  selector = new DefaultSelector();
  errors = [];
  reactor = new Reactor(selector, { onError: (error) => errors.push(error) });
});
afterEach(() => {
  selector.close();
  fds.closeAll();
});

function readable(): number {
  const [a, b] = fds.pair();
  send(b, new Uint8Array(1));
  waitFor(a, EVENT_READ);
  return a;
}

/** @returns exit code and output of a module that sees the library as `io`. */
function runModule(code: string): { status: number | null; stdout: string; stderr: string } {
  const source = `const io = await import(${JSON.stringify(library)}); ${code}`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
    timeout: 60_000,
  });
}

describe("registerHandler", () => {
  it.each([
    ["a handler without onReadable", EVENT_READ, { onWritable() {} }],
    ["a handler without onWritable", BOTH, { onReadable() {} }],
    ["a handler without methods", EVENT_WRITE, {}],
    ["an unknown onThrow", EVENT_READ, { onReadable() {}, onThrow: "explode" }],
  ])("refuses %s", (_case, events, handler) => {
    const [a] = fds.pair();
    expect(() => reactor.registerHandler(a, events, handler as EventHandler)).toThrow(
      failing("ERR_INVALID_ARG_VALUE"),
    );
    expect([reactor.size, selector.size]).toEqual([0, 0]);
  });

  it("says which method is lacking", () => {
    const [a] = fds.pair();
    expect(() => reactor.registerHandler(a, EVENT_READ, {})).toThrow(
      /no method onReadable; add onReadable, or leave EVENT_READ out/,
    );
  });

  it.each([
    ["no object", null],
    ["a method that is no function", { onReadable: 5 }],
    ["an onClose that is no function", { onReadable() {}, onClose: "close" }],
  ])("refuses %s", (_case, handler) => {
    const [a] = fds.pair();
    expect(() =>
      reactor.registerHandler(a, EVENT_READ, handler as unknown as EventHandler),
    ).toThrow(failing("ERR_INVALID_ARG_TYPE"));
    expect(selector.size).toBe(0);
  });

  it("needs a selector of this package", () => {
    const foreign = { backend: "poll" } as unknown as NativeSelector;
    expect(() => new Reactor(foreign)).toThrow(failing("ERR_INVALID_ARG_TYPE"));
    // @ts-expect-error: the contract alone is not enough, and the type says so
    expect(() => new Reactor({} as Selector)).toThrow(failing("ERR_INVALID_ARG_TYPE"));
  });
});

describe("timers and tasks", () => {
  it("refuse a wrong type at the call", () => {
    const wrong = failing("ERR_INVALID_ARG_TYPE");
    const never = () => expect.unreachable();
    expect(() => reactor.post(null as unknown as () => void)).toThrow(wrong);
    expect(() => reactor.setTimer(5, undefined as unknown as () => void)).toThrow(wrong);
    expect(() => reactor.setTimer("5" as unknown as number, never)).toThrow(wrong);
    expect(() => reactor.setTimer(5, never, { repeatMs: "1" as unknown as number })).toThrow(wrong);
    // Longer than any of them was asked to wait.
    const end = performance.now() + 10;
    while (performance.now() < end) reactor.handleEvents(1);
    expect(errors).toEqual([]);
  });

  it("free a cancelled timer's task at once, and fire the others in order", () => {
    const fired: number[] = [];
    const timers = Array.from({ length: 500 }, (_, i) => {
      const delayMs = (i * 7919) % 500;
      return { delayMs, timer: reactor.setTimer(delayMs / 1e3, () => fired.push(delayMs)) };
    });
    const left = timers.filter(({ timer }, i) => {
      if (i % 3 === 0) return true;
      timer.cancel();
      timer.cancel();
      return false;
    });
    const end = performance.now() + 2;
    while (performance.now() < end);
    reactor.handleEvents(0);
    expect(fired).toHaveLength(left.length);
    expect(new Set(fired)).toEqual(new Set(left.map(({ delayMs }) => delayMs)));
  });

  it("hold no memory for what is cancelled", () => {
    const code = `
      const reactor = new io.Reactor(new io.DefaultSelector());
      reactor.setTimer(1e9, () => {});
      const task = () => { const big = new Array(1000).fill(0); return () => big.length; };
      const used = () => { gc(); return process.memoryUsage().heapUsed; };
      const timers = [];
      const before = used();
      for (let i = 0; i < 20_000; i++) {
        const timer = reactor.setTimer(60_000, task());
        timer.cancel();
        timers.push(timer);
      }
      console.log((used() - before) / timers.length);`;
    const source = `const io = await import(${JSON.stringify(library)}); ${code}`;
    const args = ["--expose-gc", "--input-type=module", "-e", source];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(Number(stdout)).toBeLessThan(1000); // a task that stayed has 8,000 bytes
  });
});

describe("what a handler throws", () => {
  it("goes to onError, and the handler stays with onThrow keep", () => {
    const a = readable();
    const boom = new Error("boom");
    const handler: EventHandler = {
      onReadable: () => {
        throw boom;
      },
      onThrow: "keep",
      onClose: vi.fn(),
    };
    reactor.registerHandler(a, EVENT_READ, handler);
    reactor.handleEvents(1000);
    reactor.handleEvents(1000);
    expect(errors).toEqual([boom, boom]);
    expect(reactor.size).toBe(1);
    expect(handler.onClose).not.toHaveBeenCalled();
  });

  it.for(["level", "edge", "oneshot"] as const)(
    "does not cost a handler that stays its write event in %s mode",
    (mode, { skip }) => {
      skip(mode !== "level" && !selector.capabilities[mode], `has no ${mode} mode`);
      const boom = new Error("boom");
      const onWritable = vi.fn();
      const onReadable = () => {
        throw boom;
      };
      const handler: EventHandler = { onReadable, onWritable, onThrow: "keep" };
      reactor.registerHandler(readable(), BOTH, handler, { mode });
      reactor.handleEvents(1000);
      expect(errors).toEqual([boom]);
      expect(onWritable).toHaveBeenCalledTimes(1);
    },
  );

  it("removes it by the Reactor's onThrow, or the handler's own", () => {
    const keeping = new Reactor(selector, { onError: () => undefined, onThrow: "keep" });
    const throwing = {
      onReadable: () => {
        throw new Error("boom");
      },
    };
    keeping.registerHandler(readable(), EVENT_READ, throwing);
    keeping.registerHandler(readable(), EVENT_READ, { ...throwing, onThrow: "remove" });
    keeping.handleEvents(1000);
    expect(keeping.size).toBe(1);
  });

  it("is an uncaughtException with its stack without any onError, and ends the process", () => {
    const { status, stderr } = runModule(`
      const reactor = new io.Reactor(new io.DefaultSelector());
      const [reader, writer] = io.pipe();
      reactor.registerHandler(reader, io.EVENT_READ, {
        onReadable: function badHandler() { undefined.property; },
      });
      io.write(writer, new Uint8Array(1));
      await reactor.run();`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/TypeError: Cannot read properties of undefined/);
    expect(stderr).toMatch(/at .*badHandler/);
  });

  it("leaves the handler, the batch and the run as they are where the process handles it", () => {
    const { status, stdout } = runModule(`
      const values = [new Error("one"), Object.create(null), Proxy.revocable({}, {}).proxy,
        { toString() { throw new Error("not shown"); } }];
      let caught = 0;
      const reactor = new io.Reactor(new io.DefaultSelector());
      const stop = () => reactor.stop();
      process.on("uncaughtException", () => { if (++caught === 16) reactor.setTimer(100, stop); });
      for (const value of values) {
        const [reader, writer] = io.pipe();
        let calls = 0;
        reactor.registerHandler(reader, io.EVENT_READ, {
          onReadable(fd) {
            if (++calls === 2) io.read(fd, new Uint8Array(1));
            throw value;
          },
        });
        io.write(writer, new Uint8Array(1));
        reactor.post(() => { throw value; });
        reactor.setTimer(0, () => { throw value; });
      }
      reactor.setTimer(5_000, stop);
      await reactor.run();
      console.log(caught, reactor.size);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "16 4\n" });
  });

  it("is thrown by handleEvents after the turn where onError throws as well", () => {
    const calls: string[] = [];
    const strict = new Reactor(selector, {
      onError: (error) => {
        throw error;
      },
    });
    for (const name of ["first", "second"]) {
      strict.registerHandler(readable(), EVENT_READ, {
        onReadable: () => {
          calls.push(name);
          throw new Error(name);
        },
      });
    }
    expect(() => strict.handleEvents(1000)).toThrow(calls[0] ?? "first");
    expect(calls.toSorted()).toEqual(["first", "second"]);
    expect(strict.handleEvents(0)).toBe(0);
  });

  it("does not remove what a shared handler has registered under the same number", () => {
    const a = readable();
    let calls = 0;
    const shared: EventHandler = {
      onReadable: (fd) => {
        if (++calls > 1) return;
        reactor.removeHandler(fd);
        fds.close(fd);
        fds.pairReusing(fd);
        reactor.registerHandler(fd, BOTH, shared);
        throw new Error("after that");
      },
      onWritable: () => calls++,
    };
    reactor.registerHandler(a, EVENT_READ, shared);
    reactor.handleEvents(1000);
    expect([reactor.size, selector.size, calls]).toEqual([1, 1, 1]);
    reactor.handleEvents(1000);
    expect(calls).toBe(2);
    expect(errors).toHaveLength(1);
  });

  it("removes a handler that had suspended itself", () => {
    const a = readable();
    const onClose = vi.fn();
    reactor.registerHandler(a, EVENT_READ, {
      onReadable: (fd) => {
        reactor.suspend(fd);
        throw new Error("boom");
      },
      onClose,
    });
    reactor.handleEvents(1000);
    expect(reactor.size).toBe(0);
    expect(onClose.mock.calls).toEqual([[a]]);
  });
});

describe("onReadable", () => {
  it("gets the flags", () => {
    const [a, b] = fds.pair();
    const flags: number[] = [];
    reactor.registerHandler(a, EVENT_READ, { onReadable: (_fd, seen) => flags.push(seen) });
    send(b, new Uint8Array(1));
    reactor.handleEvents(1000);
    shutdown(b, "write");
    reactor.handleEvents(1000);
    expect(flags[0]).toBe(0);
    expect((flags[1] ?? 0) & FLAG_READ_CLOSED).toBe(FLAG_READ_CLOSED);
  });
});

describe("modify to no event", () => {
  it("suspends until the next modify, or resume", () => {
    const a = readable();
    let calls = 0;
    reactor.registerHandler(a, EVENT_READ, { onReadable: () => calls++ });
    for (const wake of [() => reactor.modify(a, EVENT_READ), () => reactor.resume(a)]) {
      reactor.modify(a, 0);
      reactor.modify(a, 0);
      expect([reactor.handleEvents(0), reactor.size, selector.size]).toEqual([0, 1, 0]);
      wake();
      expect(reactor.handleEvents(1000)).toBe(1);
    }
    expect(calls).toBe(2);
  });

  it("is no way around a suspension that comes after it", () => {
    const a = readable();
    let calls = 0;
    reactor.registerHandler(a, EVENT_READ, { onReadable: () => calls++ });
    reactor.modify(a, 0);
    reactor.suspend(a);
    reactor.modify(a, EVENT_READ);
    reactor.handleEvents(0);
    expect(calls).toBe(0);
    reactor.resume(a);
    reactor.handleEvents(0);
    expect(calls).toBe(1);
  });

  it("leaves what suspend has suspended as it is", () => {
    const a = readable();
    reactor.registerHandler(a, EVENT_READ, { onReadable() {} });
    reactor.suspend(a);
    reactor.modify(a, 0);
    reactor.modify(a, EVENT_READ);
    expect(reactor.handleEvents(0)).toBe(0);
    reactor.resume(a);
    expect(reactor.handleEvents(1000)).toBe(1);
  });
});

describe.each([{}, { mode: "edge" }, { mode: "oneshot" }] as RegisterOptions[])(
  "replaceHandler with %o",
  (options) => {
    it("hands the descriptor over without onClose, and reports what is ready", () => {
      const a = readable();
      const onClose = vi.fn();
      const served: unknown[] = [];
      const next: EventHandler = {
        onReadable: (fd) => served.push(recv(fd, new Uint8Array(8))),
        onClose: () => served.push("closed"),
      };
      const first: EventHandler = {
        onReadable: (fd) => {
          expect(reactor.replaceHandler(fd, next)).toBe(first);
        },
        onWritable: () => served.push("written"),
        onClose,
      };
      reactor.registerHandler(a, BOTH, { ...first, onWritable() {} }, options);
      reactor.replaceHandler(a, first, EVENT_READ);
      reactor.handleEvents(1000);
      reactor.handleEvents(1000);
      reactor.removeHandler(a);
      expect(onClose).not.toHaveBeenCalled();
      expect(served).toEqual([1, "closed"]);
    });
  },
);

describe("replaceHandler", () => {
  it("of a suspended handler leaves it suspended; a bad one changes nothing", () => {
    const a = readable();
    const first = { onReadable() {} };
    reactor.registerHandler(a, EVENT_READ, first);
    reactor.suspend(a);
    expect(() => reactor.replaceHandler(a, { onWritable() {} })).toThrow(
      failing("ERR_INVALID_ARG_VALUE"),
    );
    let calls = 0;
    reactor.replaceHandler(a, { onReadable: () => calls++ });
    expect(reactor.handleEvents(0)).toBe(0);
    reactor.resume(a);
    reactor.handleEvents(1000);
    expect(calls).toBe(1);
    const missing = failing("ERR_SELECTOR_KEY_NOT_FOUND");
    expect(() => reactor.replaceHandler(fds.pair()[0], first)).toThrow(missing);
  });
});

describe("after selector.close()", () => {
  it("removeHandler calls onClose exactly once, suspended or not", () => {
    const [[a], [b]] = [fds.pair(), fds.pair()] as const;
    const onClose = vi.fn();
    for (const fd of [a, b]) reactor.registerHandler(fd, EVENT_READ, { onReadable() {}, onClose });
    reactor.suspend(b);
    selector.close();
    expect(() => reactor.modify(a, EVENT_READ)).toThrow(failing("ERR_SELECTOR_CLOSED"));
    expect(() => reactor.suspend(a)).toThrow(failing("ERR_SELECTOR_CLOSED"));
    expect(onClose).not.toHaveBeenCalled();
    for (const fd of [a, b, a]) reactor.removeHandler(fd);
    expect(onClose.mock.calls).toEqual([[a], [b]]);
    expect(reactor.size).toBe(0);
  });

  it("a handler that closes it and throws is removed once", async () => {
    const onClose = vi.fn();
    reactor.registerHandler(readable(), EVENT_READ, {
      onReadable: () => {
        selector.close();
        throw new Error("in handler");
      },
      onClose,
    });
    await expect(reactor.run()).rejects.toThrow(failing("ERR_SELECTOR_CLOSED"));
    expect(onClose).toHaveBeenCalledTimes(1);
    expect([errors.length, reactor.size]).toEqual([1, 0]);
  });
});

const modes = ["level", "edge", "oneshot"] as const;

describe.each(selectorClasses)("a handler that waits itself, over %s", (_name, make) => {
  beforeEach(() => {
    selector.close();
    selector = make();
    reactor = new Reactor(selector, { onError: (error) => errors.push(error) });
  });

  const waits: Record<string, () => void> = {
    "selector.poll": () => selector.poll(0),
    "selector.select": () => selector.select(0),
    handleEvents: () => reactor.handleEvents(0),
    "handleEvents twice": () => reactor.handleEvents(reactor.handleEvents(0) * 0),
  };

  for (const mode of modes) {
    it.for(Object.keys(waits))(`loses none of five in ${mode} mode: %s`, (wait, { skip }) => {
      skip(mode !== "level" && !selector.capabilities[mode], `has no ${mode} mode`);
      const served = new Map<number, number>();
      let nested = 0;
      for (const fd of Array.from({ length: 5 }, readable)) {
        const onReadable = () => {
          served.set(fd, (served.get(fd) ?? 0) + recv(fd, new Uint8Array(8)));
          if (nested++ < 2) waits[wait]?.();
        };
        reactor.registerHandler(fd, EVENT_READ, { onReadable }, { mode });
      }
      reactor.handleEvents(1000);
      expect([...served.values()]).toEqual([1, 1, 1, 1, 1]);
    });
  }

  for (const mode of modes) {
    for (const how of ["timer", "task"] as const) {
      it.for(Object.keys(waits))(
        `loses none in ${mode} mode by a ${how} that waits: %s`,
        (wait, { skip }) => {
          skip(mode !== "level" && !selector.capabilities[mode], `has no ${mode} mode`);
          const served = new Map<number, number>();
          for (const fd of Array.from({ length: 3 }, readable)) {
            const onReadable = () => {
              served.set(fd, (served.get(fd) ?? 0) + recv(fd, new Uint8Array(8)));
            };
            reactor.registerHandler(fd, EVENT_READ, { onReadable }, { mode });
          }
          // Due once the wait has taken the events.
          const task = () => waits[wait]?.();
          if (how === "timer") reactor.setTimer(0, task);
          else reactor.post(task);
          reactor.handleEvents(1000);
          expect([...served.values()]).toEqual([1, 1, 1]);
        },
      );
    }
  }

  it("does not get an event of the outer batch whose registration has ended meanwhile", () => {
    const [a, b] = [readable(), readable()];
    const calls: number[] = [];
    const onReadable = (fd: number) => {
      calls.push(fd);
      recv(fd, new Uint8Array(8));
      const other = fd === a ? b : a;
      selector.poll(0);
      reactor.removeHandler(other);
      fds.close(other);
      fds.pairReusing(other);
      reactor.registerHandler(other, EVENT_READ, { onReadable: () => calls.push(-1) });
    };
    for (const fd of [a, b]) reactor.registerHandler(fd, EVENT_READ, { onReadable });
    reactor.handleEvents(1000);
    expect(calls).toHaveLength(1);
  });
});
