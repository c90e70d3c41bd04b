// What each case does in TypeScript: it opens what it needs, and gives the operations to measure.

import {
  DefaultSelector,
  EpollSelector,
  EVENT_READ,
  type EventHandler,
  type NativeSelector,
  Reactor,
  recv,
  send,
  socketPair,
} from "../../src/index.ts";
import { openSelector } from "../contenders/open-selector.ts";
import { parseWaitCase, payloadBytes, readySockets } from "./figures.ts";

/** Standard streams, the selector's own, those of Node. */
const otherDescriptors = 1024;

/** The operations of a case by name. Closing is left to the end of the process. */
export type Operations = ReadonlyMap<string, () => unknown>;

/** @throws {Error} what the system refused, and a RangeError for a name that no case has. */
export function openCase(name: string): Operations {
  const open = openers.get(name);
  if (open !== undefined) return open();
  const wait = parseWaitCase(name);
  if (wait === undefined) throw new RangeError(`unknown case "${name}"`);
  return openWait(openSelector(wait.backend, 2 * wait.idle + otherDescriptors), wait.idle);
}

const openers: ReadonlyMap<string, () => Operations> = new Map([
  ["ready-64", openReady],
  ["register-unregister", openRegister],
  ["modify", openModify],
  ["transfer-64", openTransfer],
  ["crossing", openCrossing],
]);

function openReady(): Operations {
  const selector = new EpollSelector<string>();
  for (let i = 0; i < readySockets; i++) selector.register(readable(), EVENT_READ, "ready");
  let sum = 0;
  return new Map<string, () => unknown>([
    [
      "poll",
      () => {
        const count = selector.poll(0);
        for (let i = 0; i < count; i++) {
          if (selector.readyKey(i) !== undefined) sum += selector.readyEvents(i);
        }
        return sum;
      },
    ],
    ["select", () => selector.select(0)],
  ]);
}

function openRegister(): Operations {
  const selector = new EpollSelector<string>();
  const [fd] = socketPair();
  const operation = () => {
    selector.register(fd, EVENT_READ, "idle");
    selector.unregister(fd);
  };
  return new Map([["register", operation]]);
}

function openModify(): Operations {
  const selector = new EpollSelector<string>();
  const [fd] = socketPair();
  selector.register(fd, EVENT_READ, "idle");
  return new Map([["modify", () => selector.modify(fd, EVENT_READ, "idle")]]);
}

function openTransfer(): Operations {
  const [sender, receiver] = socketPair();
  const bytes = new Uint8Array(payloadBytes);
  const operation = () => {
    if (send(sender, bytes) !== payloadBytes || recv(receiver, bytes) !== payloadBytes) {
      throw new Error("a transfer was cut short");
    }
  };
  return new Map([["transfer", operation]]);
}

function openCrossing(): Operations {
  const selector = new DefaultSelector();
  return new Map([["fileno", () => selector.fileno()]]);
}

function openWait(selector: NativeSelector, idle: number): Operations {
  const reactor = new Reactor(selector);
  let calls = 0;
  const handler: EventHandler = { onReadable: () => calls++ };
  reactor.registerHandler(readable(), EVENT_READ, handler);
  for (let i = 0; i < idle; i += 2) {
    for (const fd of socketPair()) reactor.registerHandler(fd, EVENT_READ, handler);
  }
  expectOne(selector.poll(0));
  return new Map<string, () => unknown>([
    ["poll", () => expectOneAtMost(selector.poll(0))],
    ["select", () => expectOneAtMost(selector.select(0).length)],
    ["handleEvents", () => expectOneAtMost(reactor.handleEvents(0))],
  ]);
}

/** A wait that finds something else than what was set up is not the one that was meant. */
function expectOne(count: number): void {
  if (count !== 1) throw new Error(`${count} descriptors are ready; 1 was expected`);
}

/** One of many looks in a row ends empty if Node has events. */
function expectOneAtMost(count: number): void {
  if (count !== 0) expectOne(count);
}

/** A descriptor that is readable permanently. */
function readable(): number {
  const [fd, peer] = socketPair();
  if (send(peer, new Uint8Array(1)) !== 1) throw new Error("cannot make a descriptor readable");
  return fd;
}
