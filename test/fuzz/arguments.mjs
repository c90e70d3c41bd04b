// Random garbage for everything that the library exports: node arguments.mjs SEED CALLS. Errors are
// right, a crash is not. A program of its own, so that a crash is one; the last call stands in
// ./last-call. Runs in a folder that may be littered, on the compiled library.

import { closeSync, fstatSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import { inspect } from "node:util";
import * as io from "../../dist/src/index.js";
import { assertRefused, wrongTypeCalls } from "./wrong-types.mjs";

const [seed = 1, calls = 20_000] = process.argv.slice(2).map(Number);
const log = openSync("last-call", "w");
const figures = { seed, calls: 0, returned: 0, threw: 0, wrongTypes: 0, exports: {} };

/** Mulberry32: public domain, Tommy Ettinger. */
let state = seed >>> 0;
function random(bound) {
  state = (state + 0x6d2b79f5) >>> 0;
  let x = Math.imul(state ^ (state >>> 15), state | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return ((x ^ (x >>> 14)) >>> 0) % bound;
}
const pick = (list) => list[random(list.length)];

/** Every export that can be called, by what has to be known of it here. */
const kinds = {
  /** Opens descriptors: its answers are closed. */
  opens:
    "accept bindUdp bindUnix connectTcp connectUdp connectUnix dup eventfd listenTcp listenUnix " +
    "openFifo openInotify openNetlink openPty openSignals openTimer pipe socketPair " +
    "watchDirectory",
  answers:
    "addInotifyWatch availableBackends close connect decodeInotify enterRawMode errnoError " +
    "getBroadcast getKeepAlive getLinger getMulticastLoop getMulticastTtl getNoDelay getQuickAck " +
    "getReceiveBuffer getReusePort getSendBuffer joinMulticast keepOpen leaveMulticast " +
    "lengthPrefixed lines localAddress localPort makeFifo openWaker peerAddress pipeBoth read " +
    "readEventfd readSignals readTimer receiveDescriptor recv recvFrom removeInotifyWatch send " +
    "sendDescriptor sendTo setBroadcast setKeepAlive setLinger setMulticastInterface " +
    "setMulticastLoop setMulticastTtl setNoDelay setNonBlocking setQuickAck setReceiveBuffer " +
    "setSendBuffer shutdown socketError terminalSettings write writeEventfd",
  constructs:
    "DefaultSelector EpollSelector FramingError IoUringSelector KqueueSelector " +
    "PollSelector Reactor SelectSelector SelectorError SocketAddress",
  /** Makes streams and connections, which are destroyed. */
  streams: "adopt toDuplex toReadable toWebStreams toWritable",
  /** Answers something to be closed. */
  serves: "serve",
};
const kindOf = new Map(
  Object.entries(kinds).flatMap(([kind, list]) => list.split(" ").map((name) => [name, kind])),
);
const callable = Object.entries(io).filter(([, exported]) => typeof exported === "function");
for (const name of new Set([...kindOf.keys(), ...callable.map(([name]) => name)])) {
  if (!kindOf.has(name)) throw new Error(`${name} is exported, and not in this list of exports`);
  if (!(name in io)) throw new Error(`${name} is in this list of exports, and not exported`);
}

/** Descriptors that any call may do anything to. None below: those are the process's own. */
let victims = io.socketPair();
function renewVictims() {
  for (const fd of victims) io.close(fd);
  for (const selector of made.splice(0)) selector.close();
  victims = io.socketPair();
}

/** Selectors that were made, closed with the victims. */
const made = [];
function make(Class, ...args) {
  const selector = new Class(...args);
  if (typeof selector.close === "function") made.push(selector);
  return selector;
}

/** @returns nothing to wait for: a name may be looked up for as long as it likes. */
function serve(exported, ...args) {
  const server = exported(...args);
  server.ready.catch(() => {});
  made.push({ close: () => void server.close({ connections: "destroy" }) });
}

function detached() {
  const bytes = new Uint8Array(16);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

function outOfBounds() {
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
  const bytes = new Uint8Array(buffer, 32, 32);
  buffer.resize(8);
  return bytes;
}

/** Another size at every call, while a view of it goes from hand to hand. */
const resizable = new ArrayBuffer(64, { maxByteLength: 4096 });
const growable = new SharedArrayBuffer(64, { maxByteLength: 1 << 20 });
function resized() {
  resizable.resize(random(4097));
  return pick([new Uint8Array(resizable), followsResizable]);
}
function grown() {
  growable.grow(Math.min(growable.maxByteLength, growable.byteLength + random(8)));
  return new Uint8Array(growable);
}
const followsResizable = new Uint8Array(resizable);

function revoked() {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const names = (
  "fd host port path type backlog reusePort mode exclusive priority fdSetSize signal timeoutMs " +
  "repeatMs onReadable onError onClose"
).split(" ");

/** No small integers, nor what becomes one: 0 is the process's own standard input. */
const values = [
  () => undefined,
  () => null,
  () => true,
  () => Number.NaN,
  () => pick([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
  () => pick([-1, -7, -(2 ** 31), -(2 ** 53), -1.5]),
  () => pick([0.5, 1e-9, 2.5, 1e300, 1e9, 2 ** 31 - 1, 2 ** 31, 2 ** 32 + 7, 2 ** 53]),
  () => 1_000_000 + random(1000),
  () => pick(victims),
  () => pick(["", "3", "\0", "\0name", "name", "127.0.0.1", "::1", "\ud800", "x".repeat(300)]),
  () => pick(["read", "write", "both", "stream", "datagram", "seqpacket", "edge", "level"]),
  () => Symbol("garbage"),
  () => 10n ** BigInt(random(40)),
  () => [],
  () => ({}),
  () => Object.create(null),
  () => ({ fd: value() }),
  () => Object.fromEntries(Array.from({ length: 1 + random(4) }, () => [pick(names), value()])),
  () => ({
    get fd() {
      throw new Error("a getter that throws");
    },
  }),
  () => ({
    valueOf() {
      throw new Error("a value that throws");
    },
  }),
  () => () => value(),
  () => new Proxy({}, { get: () => value() }),
  () => new Proxy(new Uint8Array(8), {}),
  () => revoked(),
  () => new Uint8Array(pick([0, 1, 16, 4096])),
  () => detached(),
  () => outOfBounds(),
  () => resized(),
  () => grown(),
  () => Object.setPrototypeOf(new Uint8Array(8), pick([null, Array.prototype, Date.prototype])),
  () => new Uint8Array(new SharedArrayBuffer(16)),
  () => new Uint8Array(16).subarray(8),
  () => pick([new Int32Array(4), new Float64Array(4), new DataView(new ArrayBuffer(8))]),
  () => Buffer.from("bytes"),
  () => new io.SocketAddress(),
  () => AbortSignal.abort(),
  () => new Date(),
  () => make(io.PollSelector),
];
const value = () => pick(values)();

/** Each undoes what it did. */
const tamperings = [
  () => tamper(Object.prototype, "fd", 1_000_001),
  () => tamper(Object.prototype, "mode", "edge"),
  () => tamper(Object.prototype, "then", () => undefined),
  () => tamper(Number, "isInteger", () => true),
  () => tamper(Number, "isNaN", () => false),
  () => tamper(Object, "hasOwn", () => true),
  () => tamper(Object, "freeze", () => undefined),
  () => tamper(Array.prototype, "push", () => 0),
  () => tamper(Array.prototype, Symbol.iterator, undefined),
  () => tamper(Uint8Array.prototype, "length", -1),
  () => tamper(Uint8Array.prototype, "constructor", Array),
  () => tamper(Object.getPrototypeOf(Uint8Array.prototype), "byteLength", 1 << 30),
  () => tamper(Object.getPrototypeOf(Uint8Array.prototype), "buffer", new ArrayBuffer(1)),
  () => tamper(Function.prototype, "call", () => 0),
  () => tamper(Map.prototype, "get", () => undefined),
  () => tamper(Int32Array.prototype, Symbol.toStringTag, "Uint8Array"),
];

function tamper(object, name, replacement) {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, {
    value: replacement,
    configurable: true,
    writable: true,
  });
  return () => {
    if (before === undefined) delete object[name];
    else Object.defineProperty(object, name, before);
  };
}

/** Something to call: a name for the log, and the call itself. */
function subject() {
  const [name, exported] = pick(callable);
  figures.exports[name] = (figures.exports[name] ?? 0) + 1;
  if (kindOf.get(name) === "serves") return { name, call: (...args) => serve(exported, ...args) };
  if (kindOf.get(name) !== "constructs") return { name, call: (...args) => exported(...args) };
  if (random(3) === 0) return { name: `new ${name}`, call: (...args) => make(exported, ...args) };
  return member(name, exported);
}

/** A method or property of an instance that can be waited for without blocking. */
function member(name, exported) {
  const isSelector = name.endsWith("Selector") && name !== "KqueueSelector";
  const selector = isSelector ? make(exported) : null;
  const waitable = selector ?? make(io.PollSelector);
  waitable.register(ready, io.EVENT_WRITE);
  const instance =
    selector ?? (name === "Reactor" ? new io.Reactor(waitable) : new io.SocketAddress());
  const owner = pick([instance, instance, selector?.waker(), selector?.getMap()]) ?? instance;
  const key = pick(keysOf(owner));
  return {
    name: `${name}.${owner === instance ? "" : "its "}${String(key)}`,
    call: (...args) => {
      const found = owner[key];
      return typeof found === "function" ? found.apply(owner, args) : found;
    },
    end: () => (name === "Reactor" ? instance.stop() : waitable.close()),
  };
}

function keysOf(instance) {
  const keys = [];
  for (let at = instance; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    keys.push(...Reflect.ownKeys(at).filter((key) => key !== "constructor"));
  }
  return keys;
}

function closeAll(answer) {
  const found = typeof answer === "object" ? Object.values(answer ?? {}) : [answer];
  for (const fd of found.flat()) if (Number.isInteger(fd) && fd > 2) io.close(fd);
}

function destroyStream(stream) {
  if (stream.readable instanceof ReadableStream) stream.readable.cancel().catch(() => undefined);
  else {
    stream.on?.("error", () => undefined);
    stream.destroy();
  }
}

function oneCall() {
  const { name, call, end } = subject();
  const args = Array.from({ length: random(6) }, value);
  const text = `${name}(${args.map((arg) => describe(arg)).join(", ")})\n`;
  writeSync(log, text.padEnd(1000).slice(0, 1000), 0);
  const undo = random(4) === 0 ? pick(tamperings)() : () => undefined;
  let answer;
  let thrown;
  try {
    answer = call(...args);
    figures.returned++;
  } catch (error) {
    thrown = { error };
    figures.threw++;
  }
  undo();
  figures.calls++;
  if (answer instanceof Promise) answer.catch(() => undefined);
  else if (kindOf.get(name) === "opens" && thrown === undefined) closeAll(answer);
  else if (kindOf.get(name) === "streams" && thrown === undefined) destroyStream(answer);
  end?.();
  if (thrown !== undefined && !(thrown.error instanceof Error)) {
    throw new TypeError(`${text} threw ${inspect(thrown.error)}, which is no Error`);
  }
}

function describe(arg) {
  try {
    return inspect(arg, { depth: 1 }).slice(0, 200);
  } catch {
    return "what cannot be shown";
  }
}

const [ready, peer] = io.socketPair();
// What a tampering lets through may come out in any later turn.
process.on("uncaughtException", (error) => {
  if (!(error instanceof Error)) throw error;
});

/** A right call except for one argument of a wrong type: refused in the one right way. */
async function oneWrongType(call) {
  writeSync(log, `${call.name}\n`.padEnd(1000), 0);
  await assertRefused(call);
  figures.wrongTypes++;
}

async function main() {
  const wrongTypes = wrongTypeCalls(io);
  for (const call of wrongTypes) await oneWrongType(call);
  while (figures.calls < calls) {
    for (let i = 0; i < 100; i++) oneCall();
    for (let i = 0; i < 10; i++) await oneWrongType(pick(wrongTypes));
    renewVictims();
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const fd of [0, 1, 2, ready, peer]) fstatSync(fd); // no call closed these
  closeSync(log);
  console.log(JSON.stringify(figures));
  return 0;
}

const code = await main().catch((error) => {
  console.error(error);
  return 1;
});
process.exit(code);
