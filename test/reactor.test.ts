// The Reactor: dispatch, containment, timers, tasks, and run() together with Node's own event loop.

import { AsyncLocalStorage } from "node:async_hooks";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  DefaultSelector,
  EVENT_READ,
  EVENT_WRITE,
  type EventHandler,
  type NativeSelector,
  Reactor,
  recv,
  send,
} from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const BOTH = EVENT_READ | EVENT_WRITE;

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

/** Two descriptors that are both readable now. */
function twoReadable(): [number, number] {
  const pairs = [fds.pair(), fds.pair()] as const;
  for (const [a, b] of pairs) {
    send(b, bytes("x"));
    waitFor(a, EVENT_READ);
  }
  return [pairs[0][0], pairs[1][0]];
}

/** Alone with it while `body` runs: those of the test runner come back afterwards. */
async function listeningTo(
  event: "uncaughtException" | "unhandledRejection",
  listener: (reason: unknown) => void,
  body: () => Promise<void>,
): Promise<void> {
  const others = process.rawListeners(event);
  const emitter: NodeJS.EventEmitter = process;
  emitter.removeAllListeners(event);
  emitter.on(event, listener);
  try {
    await body();
  } finally {
    emitter.removeAllListeners(event);
    for (const other of others) emitter.on(event, other as () => void);
  }
}

describe("handleEvents", () => {
  it("calls read before write", () => {
    const [a, b] = fds.pair();
    send(b, bytes("x"));
    waitFor(a, EVENT_READ);
    const calls: string[] = [];
    reactor.registerHandler(a, BOTH, {
      onReadable: (fd) => calls.push(`read ${fd}`),
      onWritable: (fd) => calls.push(`write ${fd}`),
    });
    expect(reactor.handleEvents(1000)).toBe(1);
    expect(calls).toEqual([`read ${a}`, `write ${a}`]);
  });

  it("does not call write on a handler that its read has removed, or replaced", () => {
    const [a, b] = fds.pair();
    send(b, bytes("x"));
    waitFor(a, EVENT_READ);
    const calls: string[] = [];
    const second = { onReadable() {}, onWritable: () => calls.push("second") };
    reactor.registerHandler(a, BOTH, {
      onReadable: () => {
        reactor.removeHandler(a);
        reactor.registerHandler(a, BOTH, second);
      },
      onWritable: () => calls.push("first"),
      onClose: () => calls.push("closed"),
    });
    reactor.handleEvents(1000);
    expect(calls).toEqual(["closed"]);
    reactor.handleEvents(1000);
    expect(calls).toEqual(["closed", "second"]);
  });

  it("does not call a handler that another one of the same batch has removed", () => {
    const [a, c] = twoReadable();
    const calls: string[] = [];
    const removesTheOther = (other: number): EventHandler => ({
      onReadable: (fd) => {
        calls.push(`read ${fd}`);
        reactor.removeHandler(other);
      },
      onClose: (fd) => calls.push(`close ${fd}`),
    });
    reactor.registerHandler(a, EVENT_READ, removesTheOther(c));
    reactor.registerHandler(c, EVENT_READ, removesTheOther(a));
    expect(reactor.handleEvents(1000)).toBe(2);
    expect(calls).toHaveLength(2);
    expect(reactor.size).toBe(1);
  });

  it("never gives an old event to a descriptor opened again in the batch", () => {
    const [a, c] = twoReadable();
    const calls: string[] = [];
    const replacesTheOther = (other: number): EventHandler => ({
      onReadable: () => {
        calls.push("old");
        reactor.removeHandler(other);
        fds.close(other);
        const [reused] = fds.pairReusing(other);
        reactor.registerHandler(reused, EVENT_READ, { onReadable: () => calls.push("new") });
      },
    });
    reactor.registerHandler(a, EVENT_READ, replacesTheOther(c));
    reactor.registerHandler(c, EVENT_READ, replacesTheOther(a));
    reactor.handleEvents(1000);
    expect(calls).toEqual(["old"]);
  });

  it("runs timers, then tasks, then handlers; what a task posts comes in the next turn", () => {
    const [a, b] = fds.pair();
    send(b, bytes("x"));
    waitFor(a, EVENT_READ);
    const calls: string[] = [];
    reactor.registerHandler(a, EVENT_READ, { onReadable: () => calls.push("handler") });
    reactor.post(() => {
      calls.push("task");
      reactor.post(() => calls.push("posted by task"));
    });
    reactor.setTimer(0, () => calls.push("timer"));
    reactor.handleEvents(0);
    expect(calls).toEqual(["timer", "task", "handler"]);
    reactor.handleEvents(0);
    expect(calls).toEqual(["timer", "task", "handler", "posted by task", "handler"]);
  });

  it("calls what is posted behind a task that runs a turn itself in that turn", () => {
    const calls: string[] = [];
    reactor.post(() => {
      reactor.post(() => calls.push("posted by task"));
      reactor.handleEvents(1000);
      calls.push("task");
    });
    for (const name of ["second", "third"]) reactor.post(() => calls.push(name));
    reactor.handleEvents(0);
    expect(calls).toEqual(["second", "third", "posted by task", "task"]);
    reactor.handleEvents(0);
    expect(calls).toHaveLength(4);
  });

  it("waits no longer than the next timer, and fires none early", () => {
    const started = performance.now();
    let firedMs = 0;
    reactor.setTimer(20, () => {
      firedMs = performance.now() - started;
    });
    reactor.setTimer(10, () => expect.unreachable()).cancel();
    while (firedMs === 0) reactor.handleEvents(5000);
    expect(firedMs).toBeGreaterThanOrEqual(20);
    expect(errors).toEqual([]);
  });

  it("fires timers in the order in which they are due, and repeats", () => {
    const calls: number[] = [];
    // Counted from one time: a machine that is busy may let milliseconds pass between two of them.
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now());
    for (const delayMs of [12, 3, 9, 6, 1]) reactor.setTimer(delayMs, () => calls.push(delayMs));
    clock.mockRestore();
    let repeated = 0;
    const timer = reactor.setTimer(1, () => repeated++, { repeatMs: 1 });
    while (calls.length < 5 || repeated < 3) reactor.handleEvents(1000);
    timer.cancel();
    expect(calls).toEqual([1, 3, 6, 9, 12]);
    const before = repeated;
    reactor.handleEvents(5);
    expect(repeated).toBe(before);
  });
});

describe("timers", () => {
  it("refuse what is no time, and leave nothing of it", () => {
    const refused = expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" });
    const never = () => expect.unreachable();
    expect(() => reactor.setTimer(Number.NaN, never)).toThrow(refused);
    for (const repeatMs of [0, -1, Number.NaN, 1e-9]) {
      expect(() => reactor.setTimer(0, never, { repeatMs })).toThrow(refused);
    }
    expect(reactor.handleEvents(0)).toBe(0);
    expect(errors).toEqual([]);
  });

  it("repeat no earlier than asked for after a slow task of the same turn", () => {
    const calledAtMs: number[] = [];
    reactor.setTimer(0, () => {
      const end = performance.now() + 50;
      while (performance.now() < end);
    });
    reactor.setTimer(0, () => calledAtMs.push(performance.now()), { repeatMs: 20 });
    while (calledAtMs.length < 2) reactor.handleEvents(100);
    const [first = 0, second = 0] = calledAtMs;
    expect(second - first).toBeGreaterThan(19);
  });

  it("may repeat faster than turns come: once per turn then", () => {
    let calls = 0;
    reactor.setTimer(0, () => calls++, { repeatMs: 0.001 });
    reactor.handleEvents(0);
    expect(calls).toBe(1);
  });
});

describe("after stop", () => {
  it("turns wait as long as before", () => {
    reactor.stop();
    const started = performance.now();
    reactor.handleEvents(20);
    expect(performance.now() - started).toBeGreaterThanOrEqual(19);
  });
});

describe("a modify that the kernel refuses", () => {
  it("removes the handler and says so", () => {
    const [a] = fds.pair();
    const onClose = vi.fn();
    reactor.registerHandler(a, BOTH, { onReadable() {}, onWritable() {}, onClose });
    fds.close(a);
    expect(() => reactor.modify(a, BOTH)).toThrow(
      /cannot modify fd \d+, which is unregistered now/,
    );
    expect(onClose.mock.calls).toEqual([[a]]);
    expect(reactor.size).toBe(0);
    expect(selector.size).toBe(0);
  });
});

describe("a handler that throws", () => {
  it("gets onError, is removed, gets onClose once, and the others go on", () => {
    const [a, c] = twoReadable();
    const calls: unknown[] = [];
    const boom = new Error("boom");
    reactor.registerHandler(a, EVENT_READ, {
      onReadable: () => {
        throw boom;
      },
      onError: (error) => calls.push(error),
      onClose: () => calls.push("close"),
    });
    reactor.registerHandler(c, EVENT_READ, { onReadable: () => calls.push("other") });
    reactor.handleEvents(1000);
    expect(calls.filter((call) => call !== "other")).toEqual([boom, "close"]);
    expect(calls).toContain("other");
    expect(reactor.size).toBe(1);
    expect(selector.size).toBe(1);
  });

  it("gives the Reactor what it has no onError for, as tasks and timers do", () => {
    const [a] = fds.pair();
    const boom = (what: string) => () => {
      throw new Error(what);
    };
    reactor.registerHandler(a, EVENT_WRITE, {
      onWritable: boom("handler"),
      onClose: boom("close"),
    });
    reactor.post(boom("task"));
    reactor.setTimer(0, boom("timer"));
    reactor.handleEvents(1000);
    expect(errors.map((error) => (error as Error).message)).toEqual([
      "timer",
      "task",
      "handler",
      "close",
    ]);
    expect(reactor.size).toBe(0);
  });
});

describe("suspend and resume", () => {
  it("keep the handler, and what became ready meanwhile is reported then", () => {
    const [a, b] = fds.pair();
    let calls = 0;
    reactor.registerHandler(a, EVENT_READ, { onReadable: () => calls++ });
    reactor.suspend(a);
    reactor.suspend(a);
    send(b, bytes("x"));
    waitFor(a, EVENT_READ);
    expect(reactor.handleEvents(0)).toBe(0);
    expect(reactor.size).toBe(1);
    reactor.resume(a);
    reactor.resume(a);
    expect(reactor.handleEvents(1000)).toBe(1);
    expect(calls).toBe(1);
  });

  it("take a modify meanwhile, and a removal", () => {
    const [a] = fds.pair();
    const calls: string[] = [];
    reactor.registerHandler(a, EVENT_READ, {
      onReadable: () => calls.push("read"),
      onWritable: () => calls.push("write"),
      onClose: () => calls.push("close"),
    });
    reactor.suspend(a);
    reactor.modify(a, EVENT_WRITE);
    reactor.resume(a);
    reactor.handleEvents(1000);
    reactor.suspend(a);
    reactor.removeHandler(a);
    reactor.removeHandler(a);
    expect(calls).toEqual(["write", "close"]);
  });

  it("refuse what has no handler", () => {
    const missing = expect.objectContaining({ code: "ERR_SELECTOR_KEY_NOT_FOUND" });
    expect(() => reactor.suspend(0)).toThrow(missing);
    expect(() => reactor.resume(0)).toThrow(missing);
    expect(() => reactor.modify(0, EVENT_READ)).toThrow(missing);
  });
});

describe.each(selectorClasses)("run over %s", (_name, make) => {
  beforeEach(() => {
    selector.close();
    selector = make();
    reactor = new Reactor(selector, { onError: (error) => errors.push(error) });
  });

  /**
   * An echo under the Reactor, and a peer that pings over it for ever, so that the Reactor is never
   * idle.
   */
  function keepBusy(): { count: number } {
    const [a, b] = fds.pair();
    const busy = { count: 0 };
    const buffer = new Uint8Array(64);
    const echo: EventHandler = {
      onReadable: (fd) => {
        busy.count++;
        const n = recv(fd, buffer);
        if (n > 0) send(fd, buffer, 0, n);
      },
    };
    reactor.registerHandler(a, EVENT_READ, echo);
    reactor.registerHandler(b, EVENT_READ, echo);
    send(a, bytes("ping"));
    return busy;
  }

  it("runs the promise jobs of timers and tasks if no descriptor is ready", async () => {
    const done = reactor.run();
    for (let i = 0; i < 3; i++) {
      await new Promise<void>((resolve) => reactor.setTimer(1, resolve));
      await new Promise<void>((resolve) => reactor.post(resolve));
    }
    reactor.stop();
    await done;
  });

  it.each([true, false])(
    "serves Node's timers, immediates, ticks and promises (busy: %s)",
    async (busy) => {
      if (busy) keepBusy();
      const seen = new Set<string>();
      const note = (what: string) => {
        seen.add(what);
        if (seen.size === 6) reactor.stop();
      };
      setTimeout(() => note("timeout"), 5);
      setTimeout(() => setTimeout(() => note("timeout from timeout"), 5), 5);
      reactor.post(() => {
        setImmediate(() => note("immediate"));
        process.nextTick(() => note("tick"));
        Promise.resolve().then(() => note("promise"));
        queueMicrotask(() => note("microtask"));
      });
      await reactor.run();
      expect(seen.size).toBe(6);
    },
  );

  it("runs ticks and promise jobs before the next turn", async () => {
    const load = keepBusy();
    const later: number[] = [];
    reactor.setTimer(5, () => {
      const { turns } = reactor;
      const note = () => later.push(reactor.turns - turns);
      process.nextTick(() => {
        note();
        Promise.resolve().then(() => {
          note();
          process.nextTick(() => {
            note();
            reactor.stop();
          });
        });
      });
    });
    await reactor.run();
    // A timer runs before the handlers of its turn, and a turn is counted when those are called.
    expect(later).toEqual([1, 1, 1]);
    expect(load.count).toBeGreaterThan(0);
  });

  it.each(["tick", "promise job"])("hears at once what a %s asks for", async (kind) => {
    const defer = (task: () => void) =>
      kind === "tick" ? process.nextTick(task) : void Promise.resolve().then(task);
    const order: string[] = [];
    reactor.post(() =>
      defer(() => {
        order.push("deferred");
        reactor.post(() => {
          order.push("task");
          defer(() => reactor.setTimer(1, () => defer(() => reactor.stop())));
        });
      }),
    );
    await reactor.run();
    expect(order).toEqual(["deferred", "task"]);
  });

  it("leaves the other descriptors alone once a promise job has stopped it", async () => {
    const [a, b] = fds.pair();
    let calls = 0;
    const onReadable = () => {
      calls++;
      Promise.resolve().then(() => reactor.stop());
    };
    reactor.registerHandler(a, EVENT_READ, { onReadable });
    send(b, bytes("x"));
    await reactor.run();
    expect(calls).toBe(1);
    await reactor.run();
    expect(calls).toBe(2); // it was still readable
  });

  it("runs handlers in the asynchronous context that it was started in", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    reactor.setTimer(1, () => {
      seen.push(storage.getStore());
      setImmediate(() => {
        seen.push(storage.getStore());
        reactor.stop();
      });
    });
    await storage.run("mine", () => reactor.run());
    expect(seen).toEqual(["mine", "mine"]);
  });

  it("gives a handler's setTimeout its whole time, however long nothing happened", async () => {
    let elapsed = 0;
    reactor.setTimer(300, () => {
      const started = performance.now();
      setTimeout(() => {
        elapsed = performance.now() - started;
        reactor.stop();
      }, 200);
    });
    await reactor.run();
    expect(elapsed).toBeGreaterThan(190);
  });

  it("continues after a tick whose error is handled", async () => {
    const seen: unknown[] = [];
    const see = (error: unknown) => seen.push(error);
    await listeningTo("uncaughtException", see, async () => {
      reactor.post(() =>
        process.nextTick(() => {
          throw "a tick's";
        }),
      );
      reactor.setTimer(20, () => reactor.stop());
      await reactor.run();
    });
    expect(seen).toEqual(["a tick's"]);
  });

  it("ends with what its own onError throws, and can run again", async () => {
    reactor = new Reactor(selector, {
      onError: (error) => {
        throw error;
      },
    });
    reactor.post(() => {
      throw new Error("unhandled");
    });
    await expect(reactor.run()).rejects.toThrow("unhandled");
    reactor.post(() => reactor.stop());
    await reactor.run();
  });

  it("goes on serving Node after a handler that waited on the selector itself", async () => {
    const [a, b] = fds.pair();
    let immediates = 0;
    reactor.registerHandler(a, EVENT_READ, {
      onReadable: (fd) => {
        recv(fd, new Uint8Array(8));
        selector.select(5);
        setImmediate(() => immediates++);
      },
    });
    const timer = setInterval(() => {
      if (immediates >= 3) reactor.stop();
      else send(b, bytes("x"));
    }, 2);
    await reactor.run();
    clearInterval(timer);
    expect(immediates).toBeGreaterThanOrEqual(3);
  });

  it("serves a wait on the same selector beside it", async () => {
    const [a, b] = fds.pair();
    const waited: number[] = [];
    reactor.post(async () => {
      const waiting = selector.wait();
      selector.waker().wake();
      waited.push((await waiting).length);
      reactor.registerHandler(a, EVENT_READ, { onReadable: () => reactor.stop() });
      send(b, new Uint8Array(1));
    });
    await reactor.run();
    expect(waited).toEqual([0]);
  });

  it("refuses a second run on the same selector", async () => {
    const second = new Reactor(selector);
    reactor.post(async () => {
      await expect(second.run()).rejects.toMatchObject({ code: "EBUSY" });
      reactor.stop();
    });
    await reactor.run();
  });

  it("is not ended by another Reactor on the same selector", async () => {
    const second = new Reactor(selector);
    const running = reactor.run();
    const controller = new AbortController();
    const refused = second.run({ signal: controller.signal });
    controller.abort();
    second.stop();
    await expect(refused).rejects.toMatchObject({ code: "EBUSY" });
    second.stop();
    let hasTurned = false;
    reactor.post(() => {
      hasTurned = true;
      reactor.stop();
    });
    await running;
    expect(hasTurned).toBe(true);
  });

  it("ends where a handler closes the selector, and says so", async () => {
    reactor.post(() => selector.close());
    await expect(reactor.run()).rejects.toMatchObject({ code: "ERR_SELECTOR_CLOSED" });
    await expect(reactor.run()).rejects.toMatchObject({ code: "ERR_SELECTOR_CLOSED" });
  });

  it("reports an unhandled rejection although nothing else happens", async () => {
    const reasons: unknown[] = [];
    const end = (reason: unknown) => {
      reasons.push(reason);
      reactor.stop();
    };
    await listeningTo("unhandledRejection", end, async () => {
      reactor.setTimer(50, () => void Promise.reject("unhandled"));
      await reactor.run();
    });
    expect(reasons).toEqual(["unhandled"]);
  });

  it("sleeps while nothing happens", async () => {
    reactor.setTimer(100, () => reactor.stop());
    await reactor.run();
    expect(reactor.turns).toBeLessThan(30);
  });

  it("runs signal handlers", async () => {
    const received = new Promise<void>((resolve) => {
      process.once("SIGUSR2", () => {
        resolve();
        reactor.stop();
      });
    });
    reactor.setTimer(5, () => process.kill(process.pid, "SIGUSR2"));
    await reactor.run();
    await received;
  });

  it.each([true, false])("serves node:http from the same thread (busy: %s)", async (busy) => {
    const load = busy ? keepBusy() : { count: 0 };
    const server = createServer((_request, response) => response.end("hello"));
    const answered = new Promise<string>((resolve, reject) => {
      server.listen(0, "127.0.0.1", () => {
        get({ port: (server.address() as AddressInfo).port, agent: false }, (response) => {
          response.setEncoding("utf8").on("data", resolve);
        }).on("error", reject);
      });
    });
    const run = reactor.run();
    expect(await answered).toBe("hello");
    server.close();
    reactor.stop();
    await run;
    if (busy) expect(load.count).toBeGreaterThan(0);
  });

  it("ends on an abort signal, before it starts and while it waits", async () => {
    await reactor.run({ signal: AbortSignal.abort() });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 10);
    await reactor.run({ signal: controller.signal });
  });

  it("can run again, and not twice at once", async () => {
    for (let i = 0; i < 3; i++) {
      reactor.post(() => reactor.stop());
      const run = reactor.run();
      await expect(reactor.run()).rejects.toThrow(/already runs/);
      await run;
    }
  });

  it("serves an echo", async () => {
    const [a, b] = fds.pair();
    const buffer = new Uint8Array(64);
    reactor.registerHandler(a, EVENT_READ, {
      onReadable: (fd) => {
        const n = recv(fd, buffer);
        if (n > 0) send(fd, buffer, 0, n);
        else reactor.removeHandler(fd);
      },
      onClose: () => reactor.stop(),
    });
    let answer = "";
    reactor.registerHandler(b, BOTH, {
      onWritable: (fd) => {
        send(fd, bytes("hello"));
        reactor.modify(fd, EVENT_READ);
      },
      onReadable: (fd) => {
        answer += new TextDecoder().decode(buffer.subarray(0, recv(fd, buffer)));
        if (answer === "hello") reactor.removeHandler(fd);
      },
      onClose: (fd) => fds.close(fd),
    });
    await reactor.run();
    expect(answer).toBe("hello");
    expect(errors).toEqual([]);
  });
});
