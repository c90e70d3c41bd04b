// How Reactors and blocking waits share the thread with Node's event loop: nothing of Node's is
// lost, several runs all serve, an idle one counts as idle.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import {
  availableBackends,
  close,
  EpollSelector,
  EVENT_READ,
  EVENT_WRITE,
  pipe,
  Reactor,
  read,
  recv,
  send,
  socketPair,
  write,
} from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";

const run = promisify(execFile);
const backends = availableBackends().flatMap(({ name, available }) => (available ? [name] : []));
const className = new Map(selectorClasses.map(([name, make]) => [name, make().constructor.name]));

/** A program that sees the library as `io`. */
function script(code: string): string[] {
  return ["--input-type=module", "-e", `const io = await import("./dist/src/index.js"); ${code}`];
}

describe.each(backends)("beside a Reactor over %s", (backend) => {
  let outcomes: Record<string, { worked: number; of: number }> = {};
  beforeAll(async () => {
    const program = ["--expose-gc", "test/programs/beside-node.mjs", backend];
    outcomes = JSON.parse((await run(process.execPath, program)).stdout);
  }, 300_000);

  it.each(["idle", "paced", "busy"])("everything of Node's works, %s", (load) => {
    expect(outcomes[load]?.of).toBeGreaterThan(0);
    expect(outcomes[load]?.worked).toBe(outcomes[load]?.of);
  });

  it("an idle one counts as idle", async () => {
    const program = script(`
      const { performance } = await import("node:perf_hooks");
      new io.Reactor(new io.${className.get(backend)}()).run();
      setTimeout(() => {
        const before = performance.eventLoopUtilization();
        setTimeout(() => {
          console.log(performance.eventLoopUtilization(before).utilization);
          process.exit();
        }, 300);
      }, 50);`);
    const { stdout } = await run(process.execPath, program);
    expect(Number(stdout)).toBeLessThan(0.5);
  });
});

/** A load that never ends by itself: each byte received is sent back. */
function startLoad(reactor: Reactor, onTurn: () => void): readonly number[] {
  const pair = socketPair();
  const bytes = new Uint8Array(1);
  for (const fd of pair) {
    reactor.registerHandler(fd, EVENT_READ, {
      onReadable() {
        recv(fd, bytes);
        send(fd, bytes);
        onTurn();
      },
    });
  }
  send(pair[0], bytes);
  return pair;
}

describe.each(selectorClasses)("several runs on one thread, over %s", (_name, make) => {
  it("take turns, each with a load and a timer", async () => {
    const served: number[] = [];
    const fds: number[] = [];
    const selectors = [make(), make()];
    const reactors = selectors.map((selector) => new Reactor(selector));
    const timers = reactors.map((reactor, index) => {
      fds.push(...startLoad(reactor, () => served.push(index)));
      return new Promise<void>((resolve) => reactor.setTimer(20, resolve));
    });
    const runs = reactors.map((reactor) => reactor.run());
    await Promise.all(timers);
    for (const reactor of reactors) reactor.stop();
    await Promise.all(runs);
    for (const selector of selectors) selector.close();
    for (const fd of fds) close(fd);
    // From when both have begun: the longest that one was served without the other.
    const begun = Math.max(served.indexOf(0), served.indexOf(1));
    expect(Math.min(served.indexOf(0), served.indexOf(1))).toBe(0);
    let longest = 0;
    for (let at = begun, length = 0; at < served.length; at++) {
      length = served[at] === served[at - 1] ? length + 1 : 1;
      longest = Math.max(longest, length);
    }
    // Up to 64 looks of a turn belong together (EVENTS_PER_TURN), and a pass of the loop is a turn.
    expect(longest).toBeLessThanOrEqual(200);
  });

  it("go on when one stops, and another begins in a handler", async () => {
    const [first, second] = [make(), make()];
    const [one, other] = [new Reactor(first), new Reactor(second)];
    const [reader, writer] = pipe();
    const order: string[] = [];
    let otherRun: Promise<void> | undefined;
    one.post(() => {
      otherRun = other.run();
      other.setTimer(1, () => {
        order.push("timer of the other");
        one.stop();
      });
    });
    other.registerHandler(reader, EVENT_READ, {
      onReadable() {
        order.push("the other is readable");
        other.stop();
      },
    });
    await one.run();
    order.push("one has stopped");
    write(writer, new Uint8Array(1));
    await otherRun;
    expect(order).toEqual(["timer of the other", "one has stopped", "the other is readable"]);
    for (const fd of [reader, writer]) close(fd);
    first.close();
    second.close();
  });
});

describe.each(selectorClasses)("a wait without a deadline on %s", (_name, make) => {
  it("reports what is ready, though a wait on another selector owes Node a turn", async () => {
    // Resumes in the middle of a poll, when Node may have more to hand out.
    await readFile("package.json");
    for (let i = 0; i < 3; i++) {
      const selector = make();
      const pair = socketPair();
      selector.register(pair[0], EVENT_WRITE);
      expect(selector.select()).toHaveLength(1);
      selector.close();
      for (const fd of pair) close(fd);
    }
  });
});

const tick = () => new Promise((resolve) => setTimeout(resolve, 10));

describe.runIf(process.platform === "linux")("after a busy moment a Reactor", () => {
  /** Whether another epoll set of this process contains the descriptor. proc_pid_fdinfo(5) */
  const isNested = (fd: number) =>
    readdirSync("/proc/self/fdinfo").some((name) => {
      const path = `/proc/self/fdinfo/${name}`;
      return existsSync(path) && new RegExp(`^tfd: +${fd} `, "m").test(readFileSync(path, "utf8"));
    });

  it("stays out of Node's epoll set for a second, and is in it again later", async () => {
    const selector = new EpollSelector();
    const fd = selector.fileno() ?? -1;
    const reactor = new Reactor(selector);
    const running = reactor.run();
    while (!isNested(fd)) await tick();
    let nestings = 0;
    let stalls = 0;
    for (let burst = 0; burst < 5; burst++) {
      let turns = 0;
      const fds = startLoad(reactor, () => {
        turns++;
      });
      while (isNested(fd) || turns < 1000) await tick();
      for (const each of fds) reactor.removeHandler(each);
      for (const each of fds) close(each);
      const startedMs = performance.now();
      for (let i = 0; i < 5; i++) {
        await tick();
        nestings += isNested(fd) ? 1 : 0;
      }
      // A machine that stood still for so long has seen a quiet second.
      stalls += performance.now() - startedMs > 500 ? 5 : 0;
    }
    expect(nestings).toBeLessThanOrEqual(stalls);
    while (!isNested(fd)) await tick();
    reactor.stop();
    await running;
    selector.close();
  });
});

describe.each(backends)("a loop over %s that yields on empty results only", (backend) => {
  it.each([
    ["select without a deadline", "selector.select().length"],
    ["poll without a deadline", "selector.poll()"],
    ["looks", "selector.poll(0)"],
    ["a look before it", "(selector.poll(0), selector.poll())"],
    ["a wait with a deadline before it", "(selector.poll(1), selector.poll())"],
  ])("handles SIGTERM under traffic: %s", async (_case, wait) => {
    // Always readable, as under traffic without end.
    const program = script(`
      const selector = new io.${className.get(backend)}();
      const [reader, writer] = io.pipe();
      io.write(writer, new Uint8Array(1));
      selector.register(reader, io.EVENT_READ);
      process.on("SIGTERM", () => process.exit(7));
      let waits = 0;
      for (;;) {
        if (++waits === 100) console.log("waiting");
        if (${wait} === 0) await new Promise((resolve) => setImmediate(resolve));
      }`);
    const child = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    // Only what the signal itself has brought about may end it: nothing else happens there.
    expect(await exited).toEqual([7, null]);
  });
});

describe.each(backends)("a wait without a deadline on %s", (backend) => {
  const start = `
    const selector = new io.${className.get(backend)}();
    const [reader, writer] = io.pipe();
    selector.register(reader, io.EVENT_READ);
    const yields = {
      setImmediate: () => new Promise((resolve) => setImmediate(resolve)),
      setTimeout: () => new Promise((resolve) => setTimeout(resolve, 0)),
    };`;

  it.each(["setImmediate", "setTimeout"])("ends for Node's timers, beside %s", async (way) => {
    // Nothing else ever ends it.
    const program = script(`${start}
      for (const ms of [5, 90, 91]) setTimeout(() => console.log(ms), ms);
      setTimeout(() => process.exit(7), 140);
      for (;;) if (selector.select().length === 0) await yields.${way}();`);
    const child = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    expect((await child.stdout.setEncoding("utf8").toArray()).join("")).toBe("5\n90\n91\n");
    expect(await exited).toEqual([7, null]);
  });

  it("ends for Node's timers although a Reactor has a later timer of its own", async () => {
    const program = script(`${start}
      const reactor = new io.Reactor(selector);
      reactor.setTimer(3_600_000, () => {});
      reactor.setTimer(5, () => console.log("due"));
      setTimeout(() => process.exit(7), 40);
      for (;;) if (reactor.handleEvents() === 0) await yields.setTimeout();`);
    const child = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit");
    expect((await child.stdout.setEncoding("utf8").toArray()).join("")).toBe("due\n");
    expect(await exited).toEqual([7, null]);
  });

  it.each([
    ["select", "selector.select().length", 2],
    ["looks", "selector.poll(0)", 0],
  ])("ends for Node's timers under traffic that starts timers: %s", async (_case, wait, busyMs) => {
    // Each message restarts a timeout, which moves the clock of Node's loop.
    const program = script(`${start}
      io.write(writer, new Uint8Array(1)); // always readable
      setTimeout(() => process.exit(7), 30);
      for (;;) {
        if (${wait} === 0) await yields.setTimeout();
        const untilMs = performance.now() + ${busyMs};
        while (performance.now() < untilMs);
        clearTimeout(setTimeout(() => {}, 60_000));
      }`);
    const child = spawn(process.execPath, program, { stdio: "inherit", timeout: 30_000 });
    expect(await once(child, "exit")).toEqual([7, null]);
  });

  it("lets the loop sleep although the caller yields by immediates", async () => {
    const program = script(`${start}
      setTimeout(() => io.write(writer, new Uint8Array(1)), 100);
      const startedMs = performance.now();
      let waits = 0;
      for (; selector.select().length === 0; waits++) await yields.setImmediate();
      console.log(waits / (performance.now() - startedMs));`);
    const { stdout } = await run(process.execPath, program);
    // One per millisecond, and a few that end for events of Node.
    expect(Number(stdout)).toBeLessThan(2);
  });

  it("serves an immediate that waits beside it", async () => {
    const program = script(`${start}
      let left = 20;
      const again = () => (--left > 0 ? setImmediate(again) : process.exit(7));
      again();
      for (;;) if (selector.select().length === 0) await yields.setImmediate();`);
    const child = spawn(process.execPath, program, { stdio: "inherit" });
    expect(await once(child, "exit")).toEqual([7, null]);
  });

  it.runIf(process.platform === "linux")("ends once if its caller never yields", async () => {
    const program = script(`${start}
      await yields.setTimeout();
      setTimeout(() => {}, 1);
      selector.register(io.openTimer(200), io.EVENT_READ);
      console.log(selector.select().length, selector.select().length);`);
    const { stdout } = await run(process.execPath, program);
    expect(stdout).toBe("0 1\n");
  });
});

describe.each(selectorClasses)("under a task that posts itself again, over %s", (_name, make) => {
  it("Node's timers fire", async () => {
    const selector = make();
    const reactor = new Reactor(selector);
    const running = reactor.run();
    let turns = 0;
    const fds = startLoad(reactor, () => turns++);
    const again = () => reactor.post(again);
    again();
    await tick();
    for (let fired = 0; fired < 5 || turns < 100; fired++) await tick();
    reactor.stop();
    await running;
    selector.close();
    for (const fd of fds) close(fd);
  });
});

const nestable = selectorClasses.filter(([, make]) => {
  const selector = make();
  const fits = (selector.fileno() ?? -1) >= 0 && selector.capabilities.asyncWait === "nested";
  selector.close();
  return fits;
});

describe.each(nestable)("a selector over %s that contains another one", (name) => {
  // A ring of io_uring stays readable until its own selector has looked again.
  const exact = nestable.filter(([inner]) => inner !== "io_uring");
  it.each(exact)("can be waited for after a blocking wait on that one: %s", async (inside) => {
    // In a process of its own: libuv aborts if the kernel refuses what it watches.
    const program = script(`
      const [outer, inner] = [new io.${className.get(name)}(), new io.${className.get(inside)}()];
      const [reader, writer] = io.pipe();
      inner.register(reader, io.EVENT_READ);
      outer.register(inner.fileno(), io.EVENT_READ);
      const bytes = new Uint8Array(1);
      const later = () => setTimeout(() => io.write(writer, bytes), 5);
      for (let round = 0; round < 3; round++) {
        later();
        const [waited] = await Promise.all([outer.wait(), null]);
        if (waited.length !== 1 || inner.select(5).length !== 1) process.exit(3);
        io.read(reader, bytes);
        inner.select(1);
        // Both at once: the blocking one looks at Node's loop now and then.
        const pending = outer.wait();
        setTimeout(() => {}, 1);
        inner.select(1);
        io.write(writer, bytes);
        await pending;
        io.read(reader, bytes);
      }
      const reactor = new io.Reactor(outer);
      const running = reactor.run();
      later();
      await new Promise((resolve) => setTimeout(resolve, 20));
      reactor.stop();
      await running;
      console.log("done");`);
    const { stdout } = await run(process.execPath, program);
    expect(stdout).toBe("done\n");
  });

  it.each(nestable)("may come to contain it while it is waited for: %s", async (inside) => {
    const program = script(`
      const outer = new io.${className.get(name)}();
      const [reader, writer] = io.pipe();
      const pending = outer.wait();
      const inner = new io.${className.get(inside)}();
      inner.register(reader, io.EVENT_READ);
      inner.poll(1);
      outer.register(inner.fileno(), io.EVENT_READ);
      inner.poll(1);
      setTimeout(() => io.write(writer, new Uint8Array(1)), 5);
      console.log((await pending).length);
      process.exit();`);
    const { stdout } = await run(process.execPath, program);
    expect(stdout).toBe("1\n");
  });

  it.each(nestable)("is readable for what is registered with that one later: %s", (_in, make) => {
    const outer = (nestable.find(([each]) => each === name) ?? nestable[0])?.[1]();
    const inner = make();
    const [reader, writer] = pipe();
    outer?.register(inner.fileno() ?? -1, EVENT_READ);
    inner.register(reader, EVENT_READ);
    const bytes = new Uint8Array(1);
    for (let round = 0; round < 3; round++) {
      write(writer, bytes);
      expect(outer?.select(5000)).toHaveLength(1);
      expect(inner.select(0)).toHaveLength(1);
      read(reader, bytes);
      inner.poll(0);
      expect(outer?.poll(0)).toBe(0);
    }
    for (const selector of [outer, inner]) selector?.close();
    for (const fd of [reader, writer]) close(fd);
  });

  // Linux contains five sets in a row; libuv aborts the process if Node's loop is one too many.
  it.each([
    ["after a wait", "await outer.wait({ timeoutMs: 1 });", ""],
    ["before its first wait", "", ""],
    ["in the tick of a wait", "", "const early = outer.wait({ timeoutMs: 5 });"],
    ["after a run", "reactor.setTimer(1, () => reactor.stop()); await reactor.run();", ""],
  ])("is waited for although the sets are too many: %s", async (_case, before, beside) => {
    const program = script(`
      const make = () => new io.${className.get(name)}();
      const [outer, second, third, last] = [make(), make(), make(), make()];
      const reactor = new io.Reactor(outer);
      const [reader, writer] = io.pipe();
      last.register(reader, io.EVENT_READ);
      ${before}
      ${beside}
      third.register(last.fileno(), io.EVENT_READ);
      second.register(third.fileno(), io.EVENT_READ);
      try {
        outer.register(second.fileno(), io.EVENT_READ);
      } catch (error) {
        if (error.code !== "ELOOP") throw error;
        ${beside === "" ? "throw error;" : "await early; outer.register(second.fileno(), 1);"}
      }
      for (let round = 0; round < 3; round++) {
        const pending = outer.wait();
        outer.select(1);
        setTimeout(() => io.write(writer, new Uint8Array(1)), 2);
        console.log((await pending).length);
        io.read(reader, new Uint8Array(1));
        for (const each of [last, third, second]) each.poll(0);
      }
      reactor.setTimer(5, () => reactor.stop());
      await reactor.run();
      console.log("done");`);
    const { stdout } = await run(process.execPath, program);
    expect(stdout).toBe("1\n1\n1\ndone\n");
  });
});

describe.each(nestable)("a wake in the middle of a turn over %s", (_name, make) => {
  it("ends the waits beside the run as well", async () => {
    const selector = make();
    const reactor = new Reactor(selector);
    const running = reactor.run();
    const waker = selector.waker();
    const pairs = [socketPair(), socketPair()];
    let left = pairs.length;
    let waited: Promise<unknown> = Promise.resolve(null);
    for (const [fd] of pairs) {
      reactor.registerHandler(fd, EVENT_READ, {
        onReadable() {
          recv(fd, new Uint8Array(1));
          if (--left > 0) return;
          waited = selector.wait(); // nothing is ready any more
          waker.wake();
        },
      });
    }
    await tick();
    // Two events, so that the turn looks again after both.
    for (const [, peer] of pairs) send(peer, new Uint8Array(1));
    while (left > 0) await tick();
    expect(await waited).toEqual([]);
    reactor.stop();
    await running;
    selector.close();
    for (const fd of pairs.flat()) close(fd);
  });

  it("ends them also if a handler has taken it by a look", async () => {
    const selector = make();
    const reactor = new Reactor(selector);
    const running = reactor.run();
    const waker = selector.waker();
    const waited = selector.wait();
    await tick();
    reactor.post(() => {
      waker.wake();
      for (let look = 0; look < 3; look++) selector.poll(0);
    });
    expect(await waited).toEqual([]);
    reactor.stop();
    await running;
    selector.close();
  });

  it("takes no event from the handlers", async () => {
    const selector = make();
    const reactor = new Reactor(selector);
    const pairs = [socketPair(), socketPair()];
    const called: number[] = [];
    for (const [fd] of pairs) {
      const handler = { onReadable: () => void called.push(fd) };
      reactor.registerHandler(fd, EVENT_READ, handler, { mode: "oneshot" });
    }
    const waker = selector.waker();
    const running = reactor.run();
    const waited = selector.wait();
    for (const [, peer] of pairs) send(peer, new Uint8Array(1));
    waker.wake();
    await waited;
    reactor.stop();
    await running;
    // Each event is reported once: to its handler, or to the wait.
    const reported = new Set([...called, ...(await waited).map(({ key }) => key.fd)]);
    expect(reported).toEqual(new Set(pairs.map(([fd]) => fd)));
    selector.close();
    for (const fd of pairs.flat()) close(fd);
  });
});

describe.each(selectorClasses)("a look beside a Reactor over %s", (_name, make) => {
  it("takes no event from its handlers", async () => {
    const selector = make();
    const reactor = new Reactor(selector);
    const [reader, writer] = pipe();
    const readable = new Promise<void>((resolve) => {
      const onReadable = () => {
        read(reader, new Uint8Array(1));
        resolve();
      };
      reactor.registerHandler(reader, EVENT_READ, { onReadable });
    });
    const running = reactor.run();
    await tick(); // it waits in Node's loop
    write(writer, new Uint8Array(1));
    expect(selector.poll(0)).toBe(1);
    await readable;
    reactor.stop();
    await running;
    selector.close();
    for (const fd of [reader, writer]) close(fd);
  });
});

describe.each(selectorClasses)("a busy Reactor over %s", (_name, make) => {
  it("keeps the process alive again from ref() on", async () => {
    const program = script(`
      const selector = new io.${make().constructor.name}();
      const reactor = new io.Reactor(selector);
      const pair = io.socketPair();
      const byte = new Uint8Array(1);
      let turns = 0;
      for (const fd of pair) {
        const onReadable = () => io.recv(fd, byte) + (++turns < 2000 && io.send(fd, byte));
        reactor.registerHandler(fd, io.EVENT_READ, { onReadable });
      }
      io.send(pair[0], byte);
      selector.unref();
      reactor.run();
      // While it is quiet again, and still near.
      const later = setInterval(() => {
        if (turns < 2000) return;
        clearInterval(later);
        selector.ref();
        reactor.setTimer(20, () => {
          console.log("done");
          selector.unref();
        });
      }, 1);`);
    const { stdout } = await run(process.execPath, program);
    expect(stdout).toBe("done\n");
  });

  it("ends when a handler closes its selector", async () => {
    const selector = make();
    const reactor = new Reactor(selector);
    const running = reactor.run().then(
      () => "over",
      () => "over",
    );
    let turns = 0;
    const fds = startLoad(reactor, () => {
      if (++turns === 5000) selector.close();
    });
    expect(await running).toBe("over");
    for (const fd of fds) close(fd);
  });

  it("is stopped although a second run on its selector is refused", async () => {
    const selector = make();
    const reactor = new Reactor(selector);
    const running = reactor.run();
    await tick();
    reactor.stop();
    await expect(new Reactor(selector).run()).rejects.toThrow(/EBUSY/);
    await running;
    selector.close();
  });
});
