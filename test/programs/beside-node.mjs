// Uses what Node offers while a Reactor runs on the same thread: node beside-node.mjs BACKEND.
// Under each load, each row of `things` is made before run(), in a handler, and after run() has
// begun, and then has to work. Prints what did, by load, as JSON; what has not within a minute is
// named on standard error.

import { spawn } from "node:child_process";
import { pbkdf2 } from "node:crypto";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { mkdtempSync, rmSync, watch, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BroadcastChannel, MessageChannel, Worker } from "node:worker_threads";
import * as io from "../../dist/src/index.js";

const classes = {
  epoll: io.EpollSelector,
  io_uring: io.IoUringSelector,
  kqueue: io.KqueueSelector,
  poll: io.PollSelector,
  select: io.SelectSelector,
};
const PING_PONGS = 200;
const REQUESTS = 20;

const echoWorker = () =>
  new Worker(
    'require("worker_threads").parentPort.on("message", function (m) { this.postMessage(m); })',
    {
      eval: true,
      execArgv: [],
    },
  );

const httpServer = async (listener) => {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return [server, `http://127.0.0.1:${server.address().port}`];
};

/** Starts what begins to be used; what that returns uses it, and is over when it worked. */
const things = {
  MessageChannel: () => {
    const { port1, port2 } = new MessageChannel();
    return async () => {
      const message = once(port2, "message");
      port1.postMessage("hello");
      await message;
      port1.close();
    };
  },
  BroadcastChannel: () => {
    const [one, other] = [new BroadcastChannel("c"), new BroadcastChannel("c")];
    return async () => {
      const message = new Promise((resolve) => {
        other.onmessage = resolve;
      });
      one.postMessage("hello");
      await message;
      one.close();
      other.close();
    };
  },
  "Worker both ways": () => {
    const worker = echoWorker();
    return async () => {
      let left = PING_PONGS;
      await new Promise((resolve) => {
        worker.on("message", () => (--left === 0 ? resolve() : worker.postMessage(left)));
        worker.postMessage(left);
      });
      await worker.terminate();
    };
  },
  "a worker behind node:http": async () => {
    const worker = echoWorker();
    const waiting = new Map();
    worker.on("message", (id) => waiting.get(id)());
    let last = 0;
    const [server, url] = await httpServer(async (_request, response) => {
      const id = ++last;
      await new Promise((resolve) => {
        waiting.set(id, resolve);
        worker.postMessage(id);
      });
      response.end("ok");
    });
    return async () => {
      for (let i = 0; i < REQUESTS; i += 10) {
        const answers = Array.from({ length: 10 }, async () => (await fetch(url)).text());
        await Promise.all(answers);
      }
      server.closeAllConnections();
      server.close();
      await worker.terminate();
    };
  },
  "fetch to itself": async () => {
    const [server, url] = await httpServer((_request, response) => response.end("ok"));
    return async () => {
      await (await fetch(url)).text();
      server.closeAllConnections();
      server.close();
    };
  },
  "fs.promises": () => () => readFile(fileURLToPath(import.meta.url)),
  "dns.lookup": () => () => lookup("localhost"),
  "crypto.pbkdf2": () => () => promisify(pbkdf2)("secret", "salt", 10, 16, "sha256"),
  "child process": () => {
    const child = spawn("cat", { stdio: ["pipe", "pipe", "ignore"] });
    return async () => {
      const over = Promise.all([once(child.stdout, "data"), once(child, "exit")]);
      child.stdin.end("hello");
      await over;
    };
  },
  "fs.watch": () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
    const watcher = watch(folder);
    return async () => {
      const change = once(watcher, "change");
      writeFileSync(join(folder, "file"), "hello");
      await change;
      watcher.close();
      rmSync(folder, { recursive: true });
    };
  },
  "setImmediate chain": () => async () => {
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
  },
  "unreferenced setImmediate": () => () =>
    new Promise((resolve) => {
      setImmediate(resolve).unref();
    }),
  timers: () => async () => {
    for (let i = 0; i < 3; i++) await delay(1);
  },
  signals: () => {
    const signal = once(process, "SIGUSR2");
    return async () => {
      process.kill(process.pid, "SIGUSR2");
      await signal;
    };
  },
  "process.nextTick": () => () => new Promise((resolve) => process.nextTick(resolve)),
  FinalizationRegistry: () => async () => {
    let collected = false;
    const registry = new FinalizationRegistry(() => {
      collected = true;
    });
    (() => registry.register({}, null))();
    while (!collected) {
      await delay(1);
      globalThis.gc();
    }
  },
  "WebAssembly.compile": () => () =>
    WebAssembly.compile(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])),
  "transferred stream": () => async () => {
    const { readable, writable } = new TransformStream();
    const moved = structuredClone(readable, { transfer: [readable] });
    const writer = writable.getWriter();
    writer.write("hello");
    await moved.getReader().read();
    await writer.close();
  },
  "Atomics.waitAsync": () => async () => {
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const notified = Atomics.waitAsync(cell, 0, 0).value;
    const worker = new Worker('Atomics.notify(require("worker_threads").workerData, 0)', {
      eval: true,
      execArgv: [],
      workerData: cell,
    });
    await Promise.all([notified, once(worker, "exit")]);
  },
  "wait() on each backend": () => async () => {
    for (const { name, available } of io.availableBackends()) {
      if (!available) continue;
      const selector = new classes[name]();
      const [reader, writer] = io.pipe();
      selector.register(reader, io.EVENT_READ);
      const waiting = selector.wait();
      setImmediate(() => io.write(writer, Buffer.from("x")));
      if ((await waiting).length !== 1) throw new Error(`wait() on ${name} ended empty`);
      for (const fd of [reader, writer]) io.close(fd);
      selector.close();
    }
  },
  "wait() on the same selector": () => async () => {
    const waiting = selector.wait();
    setImmediate(() => selector.waker().wake());
    await waiting;
  },
  "another Reactor": () => async () => {
    const other = new io.Reactor(new io.DefaultSelector());
    const [reader, writer] = io.pipe();
    const readable = new Promise((resolve) => {
      other.registerHandler(reader, io.EVENT_READ, {
        onReadable: () => other.removeHandler(reader),
        onClose: resolve,
      });
    });
    const timer = new Promise((resolve) => {
      other.setTimer(1, resolve);
    });
    const running = other.run();
    setImmediate(() => io.write(writer, Buffer.from("x")));
    await Promise.all([readable, timer]);
    other.stop();
    await running;
    for (const fd of [reader, writer]) io.close(fd);
  },
};

// Another addon, with handles of its own on the loop.
const zeromq = await import("zeromq").catch(() => null);
if (zeromq !== null) {
  things["zeromq"] = async () => {
    const [reply, request] = [new zeromq.Reply(), new zeromq.Request()];
    await reply.bind("tcp://127.0.0.1:*");
    request.connect(reply.lastEndpoint);
    return async () => {
      const received = reply.receive();
      await request.send("hello");
      await received;
      await reply.send("hello");
      await request.receive();
      request.close();
      reply.close();
    };
  };
}

/** What else the Reactor has to do: nothing, a timer 4,000 times per second, or all it can. */
const loads = {
  idle: () => [],
  paced: (reactor) => {
    const timer = io.openTimer(0.25, 0.25);
    reactor.registerHandler(timer, io.EVENT_READ, { onReadable: (fd) => io.readTimer(fd) });
    return [timer];
  },
  busy: (reactor) => {
    const pair = io.socketPair();
    const bytes = new Uint8Array(1);
    for (const fd of pair) {
      reactor.registerHandler(fd, io.EVENT_READ, {
        onReadable() {
          io.recv(fd, bytes);
          io.send(fd, bytes);
        },
      });
    }
    io.send(pair[0], bytes);
    return pair;
  },
};

/** How a thing is made, and used, with respect to run(). */
const moments = {
  before: async (make, run) => {
    const use = await make();
    run();
    await use();
  },
  "in a handler": (make, run) =>
    new Promise((resolve, reject) => {
      const fd = io.eventfd(1);
      reactor.registerHandler(fd, io.EVENT_READ, {
        onReadable() {
          reactor.removeHandler(fd);
          (async () => (await make())())().then(resolve, reject);
        },
        onClose: io.close,
      });
      run();
    }),
  after: async (make, run) => {
    run();
    await new Promise((resolve) => setImmediate(resolve));
    await (await make())();
  },
};

const [backend] = process.argv.slice(2);
let current = "";
const stuck = setTimeout(() => {
  console.error(`${backend}, ${current} is stuck`);
  process.exit(1);
}, 60_000).unref();

let selector;
let reactor;
const of = Object.keys(things).length * Object.keys(moments).length;
const outcomes = {};
for (const [loadName, startLoad] of Object.entries(loads)) {
  let worked = 0;
  for (const [name, make] of Object.entries(things)) {
    for (const [moment, use] of Object.entries(moments)) {
      current = `${loadName}: ${name}, ${moment}`;
      stuck.refresh(); // each has its minute, however busy the machine is
      selector = new classes[backend]();
      reactor = new io.Reactor(selector);
      const load = startLoad(reactor);
      let running;
      await use(make, () => {
        running = reactor.run();
      });
      reactor.stop();
      await running;
      selector.close();
      for (const fd of load) io.close(fd);
      worked++;
    }
  }
  outcomes[loadName] = { worked, of };
}
console.log(JSON.stringify(outcomes));
process.exit();
