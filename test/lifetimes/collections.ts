// Everything that the library makes, dropped in every possible way, with a garbage collection after
// each step; then random sequences with one before each operation. Prints a line of figures.
//
//   node --expose-gc --import ./test/typescript.mjs collections.ts BACKEND STEPS OPERATIONS

import {
  close,
  EVENT_READ,
  EVENT_WRITE,
  type NativeSelector,
  openWaker,
  Reactor,
  type SelectorKey,
  send,
  socketPair,
} from "../../src/index.ts";
import { selectorClasses } from "../conformance/backends.ts";
import { hunt } from "../fuzz/hunt.ts";
import { collect, countDescriptors, countThreads, turns } from "./resources.ts";

const [backend = "epoll", count = "100", operations = "100"] = process.argv.slice(2);
const found = selectorClasses.find(([name]) => name === backend);
if (found === undefined) throw new Error(`${backend} does not work here`);
const open = found[1] as () => NativeSelector<object>;

const references: WeakRef<object>[] = [];

/** A selector that is watched for its collection, over a readable and writable descriptor. */
function made(): { selector: NativeSelector<object>; key: SelectorKey<object>; end: () => void } {
  const [fd, peer] = socketPair();
  send(peer, new Uint8Array(1));
  const selector = open();
  const data = { fd };
  references.push(new WeakRef(selector), new WeakRef(data));
  const key = selector.register(fd, EVENT_READ, data);
  const end = () => {
    close(fd);
    close(peer);
  };
  return { selector, key, end };
}

/** Nothing is ready: a wait goes on until something ends it. */
function quiet(): { selector: NativeSelector<object>; end: () => void } {
  const { selector, key, end } = made();
  selector.unregister(key.fd);
  return { selector, end };
}

/** Each leaves garbage, and selectors that are not closed unless it says so. */
const steps: Readonly<Record<string, () => void | Promise<void>>> = {
  "a batch whose keys are read after a collection": () => {
    const { selector, key, end } = made();
    expect(selector.poll(1000), 1);
    collect();
    expect(selector.readyKey(0), key);
    expect(selector.readyEvents(0), EVENT_READ);
    end();
  },
  "a map and an iterator that outlive their selector": () => {
    const { selector, key, end } = made();
    const map = selector.getMap();
    const values = map?.values();
    selector.close();
    collect();
    expect(map?.get(key.fd), undefined);
    expect(values?.next().done, true);
    end();
  },
  "a wait that ends by its time": async () => {
    const { selector, end } = quiet();
    const ready = selector.wait({ timeoutMs: 2 });
    collect();
    expect((await ready).length, 0);
    end();
  },
  "a wait that is not awaited": () => {
    const { selector, end } = quiet();
    void selector.wait({ timeoutMs: 2 });
    end();
  },
  "a wait that only its waker can reach": async () => {
    const { handle, ready, end } = (() => {
      const { selector, end } = quiet();
      return { handle: selector.waker().handle, ready: selector.wait(), end };
    })();
    collect();
    await turns();
    openWaker(handle).wake();
    expect((await ready).length, 0);
    end();
  },
  "a wait whose selector is closed": async () => {
    const { selector, end } = quiet();
    const ready = selector.wait().catch((error: NodeJS.ErrnoException) => error.code);
    await turns();
    selector.close();
    collect();
    expect(await ready, "ERR_SELECTOR_CLOSED");
    end();
  },
  "a loop over waits that is left": async () => {
    const { selector, end } = made();
    for await (const ready of selector) {
      collect();
      expect(ready.length, 1);
      break;
    }
    end();
  },
  "an abandoned waker": async () => {
    const waker = (() => {
      const { selector, end } = quiet();
      end();
      return selector.waker();
    })();
    collect();
    await turns();
    collect();
    waker.wake();
  },
  "a Reactor with handlers, timers and tasks": () => {
    const { selector, key, end } = made();
    selector.unregister(key.fd);
    const reactor = new Reactor(selector);
    let calls = 0;
    const handler = { onReadable: () => calls++, onWritable: () => undefined };
    reactor.registerHandler(key.fd, EVENT_READ | EVENT_WRITE, handler);
    reactor.setTimer(1e6, () => undefined);
    reactor.post(collect);
    expect(reactor.handleEvents(0), 1);
    expect(calls, 1);
    end();
  },
  "a Reactor that ran": async () => {
    const { selector, end } = quiet();
    const reactor = new Reactor(selector);
    reactor.setTimer(1, () => reactor.stop());
    reactor.post(collect);
    await reactor.run();
    end();
  },
};

function expect<T>(actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${String(actual)} instead of ${String(expected)}`);
}

async function doAll(): Promise<void> {
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
    } catch (error) {
      throw new Error(`${name}: ${String(error)}`);
    }
    collect();
  }
}

function counts(): string {
  return JSON.stringify({ descriptors: countDescriptors(), threads: countThreads() });
}

/** How many of those that were watched are there still. */
function countAlive(): number {
  return references.filter((reference) => reference.deref() !== undefined).length;
}

/** Collects until all is as it was, or stays as it is; for some seconds at most. */
async function settle(before?: string): Promise<void> {
  let last = "";
  for (let i = 0; i < 200; i++) {
    collect();
    await turns();
    const now = counts();
    if (countAlive() === 0 && now === (before ?? last)) return;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// Threads and handles of the loop itself come with the first use, and stay.
await doAll();
await settle();
const before = counts();
let done = 0;
while (done < Number(count)) {
  await doAll();
  done += Object.keys(steps).length;
}
const played = [...hunt([found], 1, Number(operations), collect)].at(-1)?.operations;
await settle(before);
const figures = { done, played, alive: countAlive(), before: JSON.parse(before) };
console.log(JSON.stringify({ ...figures, after: JSON.parse(counts()) }));
void quiet().selector.unref().wait();
