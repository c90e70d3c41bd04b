// The argument types of every export, and calls with one argument of another type: what may throw
// throws ERR_INVALID_ARG_TYPE at the call, and I/O returns -EINVAL.

import { EINVAL } from "../../dist/src/index.js";

/** Values by the word for their type. Those of the types that an argument takes are left out. */
const values = {
  undefined: [undefined],
  null: [null],
  boolean: [true, false],
  number: [3, 2.5, Number.NaN],
  bigint: [1n],
  string: ["", "1", "read"],
  symbol: [Symbol("wrong")],
  function: [() => 1],
  array: [[]],
  object: [{}, new Date(), Object.create(null), { fd: "1" }],
  bytes: [new Uint8Array(8)],
};

/** Argument types: the words of `values` that are right, or, for options, a type per property. */
const number = ["number"];
const optionalNumber = ["number", "undefined"];
const text = ["string"];
const optionalText = ["string", "undefined"];
const optionalSwitch = ["boolean", "undefined"];
const bytes = ["bytes"];
const fd = number;
const events = ["events", "number"];
const registered = ["registered", "number"];
const tcp = { host: optionalText, port: optionalNumber };
const peer = { host: optionalText, port: ["port", "number"] };
const membership = {
  group: text,
  interface: ["string", "number", "undefined"],
  source: optionalText,
};
const serial = {
  baudRate: optionalNumber,
  dataBits: optionalNumber,
  parity: optionalText,
  stopBits: optionalNumber,
  flowControl: optionalText,
};
const task = ["function"];
/** Absent it is a value out of range: another error. */
const method = ["function", "absent"];
const optionalTask = ["function", "undefined"];
const timeout = ["number", "null", "undefined"];

/** Each wrong argument makes these return `-EINVAL`, and never throw. */
const io = {
  accept: [fd],
  close: [fd],
  getBroadcast: [fd],
  getKeepAlive: [fd],
  getLinger: [fd],
  getMulticastLoop: [fd],
  getMulticastTtl: [fd],
  getNoDelay: [fd],
  getQuickAck: [fd],
  getReceiveBuffer: [fd],
  getReusePort: [fd],
  getSendBuffer: [fd],
  read: [fd, bytes, optionalNumber, optionalNumber],
  readEventfd: [fd],
  readTimer: [fd],
  receiveDescriptor: [fd, ["descriptors"], bytes, optionalNumber, optionalNumber],
  recv: [fd, bytes, optionalNumber, optionalNumber],
  recvFrom: [fd, bytes, ["address"], optionalNumber, optionalNumber],
  removeInotifyWatch: [fd, number],
  send: [fd, bytes, optionalNumber, optionalNumber],
  sendDescriptor: [fd, number, bytes, optionalNumber, optionalNumber],
  sendTo: [fd, bytes, ["address"], optionalNumber, optionalNumber],
  setBroadcast: [fd, optionalSwitch],
  setKeepAlive: [fd, optionalSwitch, optionalNumber],
  setLinger: [fd, ["number", "null"]],
  setMulticastLoop: [fd, optionalSwitch],
  setMulticastTtl: [fd, number],
  setNoDelay: [fd, optionalSwitch],
  setNonBlocking: [fd, optionalSwitch],
  setQuickAck: [fd, optionalSwitch],
  setReceiveBuffer: [fd, number],
  setSendBuffer: [fd, number],
  shutdown: [fd, text],
  socketError: [fd],
  write: [fd, bytes, optionalNumber, optionalNumber],
  writeEventfd: [fd, optionalNumber],
};

const handlers = {
  open: optionalTask,
  data: optionalTask,
  drain: optionalTask,
  end: optionalTask,
  idle: optionalTask,
  error: optionalTask,
  close: optionalTask,
};
const connection = {
  highWaterMark: optionalNumber,
  lowWaterMark: optionalNumber,
  idleTimeoutMs: optionalNumber,
  allowHalfOpen: optionalSwitch,
  engine: optionalText,
  backend: optionalText,
  reactor: ["undefined"],
};
const framing = { longest: optionalNumber, onRefused: optionalTask };
/** What is inside of them is checked by Node's own streams. */
const streamOptions = ["undefined", "object", "array", "bytes", "function"];

/** Each wrong argument makes these throw, or reject with, ERR_INVALID_ARG_TYPE. */
const throwing = {
  adopt: [["file", "number"], handlers, connection],
  connect: [
    {
      ...connection,
      host: optionalText,
      port: ["port", "number", "absent"],
      path: optionalText,
      localAddress: optionalText,
      timeoutMs: timeout,
      signal: ["undefined"],
      attemptDelayMs: optionalNumber,
    },
    handlers,
  ],
  lengthPrefixed: [
    { ...framing, onMessage: task, prefixBytes: optionalNumber, littleEndian: optionalSwitch },
  ],
  lines: [{ ...framing, onLine: task, encoding: ["string", "undefined", "null"] }],
  pipeBoth: [["connection"], ["connection"]],
  serve: [
    {
      ...connection,
      ...tcp,
      path: optionalText,
      fd: optionalNumber,
      reusePort: optionalSwitch,
      backlog: optionalNumber,
      maxConnections: optionalNumber,
    },
    handlers,
  ],
  toDuplex: [["file", "number"], streamOptions],
  toReadable: [["file", "number"], streamOptions],
  toWebStreams: [["file", "number"], streamOptions],
  toWritable: [["file", "number"], streamOptions],
  addInotifyWatch: [fd, text, ["mask", "number"]],
  bindUdp: [{ ...tcp, reusePort: optionalSwitch, reuseAddress: optionalSwitch }],
  bindUnix: [{ path: text }],
  connectTcp: [{ ...peer, localAddress: optionalText }],
  connectUdp: [peer],
  connectUnix: [{ path: text, type: optionalText }],
  decodeInotify: [bytes, optionalNumber],
  dup: [fd],
  enterRawMode: [fd, serial],
  errnoError: [number, text, optionalText],
  eventfd: [optionalNumber],
  joinMulticast: [fd, membership],
  keepOpen: [fd],
  leaveMulticast: [fd, membership],
  listenTcp: [{ ...tcp, backlog: optionalNumber, reusePort: optionalSwitch }],
  listenUnix: [{ path: text, type: optionalText, backlog: optionalNumber }],
  localAddress: [fd],
  localPort: [fd],
  makeFifo: [text, optionalNumber],
  openFifo: [text, text],
  openNetlink: [{ family: ["family", "string"], groups: ["undefined", "array"] }],
  openSignals: [["signals", "array"]],
  openTimer: [number, optionalNumber],
  openWaker: [number],
  peerAddress: [fd],
  readSignals: [fd],
  setMulticastInterface: [fd, ["name", "string", "number", "null"]],
  socketPair: [optionalText],
  terminalSettings: [fd],
  watchDirectory: [text],
  SelectSelector: [{ fdSetSize: optionalNumber }],
  Reactor: [["selector"], { onError: optionalTask, onThrow: optionalText }],
};

/** The same for methods, static ones too, by the export that has them. */
const methods = {
  SocketAddress: { inet: [text, number], unix: [text] },
  PollSelector: {
    register: [
      fd,
      events,
      Object.keys(values),
      { mode: optionalText, exclusive: optionalSwitch, priority: optionalSwitch },
    ],
    modify: [registered, events],
    unregister: [fd],
    getKey: [fd],
    select: [timeout],
    poll: [timeout],
    wait: [{ timeoutMs: timeout, signal: ["undefined"] }],
  },
  Reactor: {
    registerHandler: [
      fd,
      events,
      {
        onReadable: method,
        onWritable: optionalTask,
        onError: optionalTask,
        onThrow: optionalText,
        onClose: optionalTask,
      },
    ],
    modify: [registered, events],
    replaceHandler: [registered, { onReadable: method }, optionalNumber],
    removeHandler: [fd],
    suspend: [fd],
    resume: [fd],
    setTimer: [number, task, { repeatMs: optionalNumber }],
    post: [task],
    handleEvents: [timeout],
    run: [{ signal: ["undefined"] }],
  },
};

/** Without arguments, or the same class as another as far as arguments go. */
const bare =
  "availableBackends pipe openPty SelectorError DefaultSelector EpollSelector " +
  "IoUringSelector KqueueSelector PollSelector SocketAddress";

/** Its arguments are of any type, or have tests of their own. */
const untyped = "openInotify FramingError";

/** Right values: of no descriptor that is open, so that nothing happens before the refusal. */
const right = {
  number: 1_000_003,
  file: 1_000_003,
  descriptors: new Int32Array(1),
  events: 1,
  port: 9,
  mask: 2,
  family: "route",
  name: "lo",
  signals: ["SIGUSR2"],
  string: "stream",
  boolean: true,
  function: () => undefined,
  bytes: new Uint8Array(8),
  undefined: undefined,
};

function rightValue(library, type) {
  if (!Array.isArray(type)) {
    return Object.fromEntries(
      Object.entries(type).map(([name, inner]) => [name, rightValue(library, inner)]),
    );
  }
  if (type[0] === "address") return new library.SocketAddress();
  if (type[0] === "connection") return subjectsOf(library).connection;
  if (type[0] === "selector") return subjectsOf(library).selector;
  if (type[0] === "registered") return subjectsOf(library).fd;
  return type.includes("undefined") ? undefined : right[type[0]];
}

let subjects;
/** What the methods are called on, and a descriptor that both have registered. */
function subjectsOf(library) {
  if (subjects !== undefined) return subjects;
  const [fd] = library.pipe();
  const selector = new library.PollSelector();
  const reactor = new library.Reactor(new library.PollSelector());
  selector.register(fd, library.EVENT_READ);
  reactor.registerHandler(fd, library.EVENT_READ, { onReadable: () => undefined });
  const connection = library.adopt(library.socketPair()[0]).unref();
  subjects = { SocketAddress: library.SocketAddress, fd, selector, reactor, connection };
  return subjects;
}

/** Every value that is wrong in place of one of that type; of options, wrong in one property. */
function wrongValues(library, type) {
  const taken = Array.isArray(type) ? type : ["undefined", "object", "array", "bytes"];
  const absent = taken.includes("absent");
  const wrong = Object.entries(values)
    .filter(([word]) => !taken.includes(word === "undefined" && absent ? "absent" : word))
    .flatMap(([, list]) => list);
  if (Array.isArray(type)) return wrong;
  const options = rightValue(library, type);
  const inside = Object.entries(type).flatMap(([name, inner]) =>
    wrongValues(library, inner).map((value) => ({ ...options, [name]: value })),
  );
  return [...wrong, ...inside];
}

/** A call for each wrong argument of one signature, the others being right. */
function* callsOf(library, name, types, call, expected) {
  for (const [place, type] of types.entries()) {
    for (const wrong of wrongValues(library, type)) {
      const args = types.map((other, i) => (i === place ? wrong : rightValue(library, other)));
      yield { name: `${name}, argument ${place}`, args, call: () => call(...args), expected };
    }
  }
}

/**
 * Every call with one argument of a wrong type.
 * @returns {{ name: string, args: unknown[], call: () => unknown, expected: "throws" | number }[]}
 */
export function wrongTypeCalls(library) {
  assertComplete(library);
  const calls = [];
  for (const [name, types] of Object.entries(io)) {
    const expected = name === "socketError" ? EINVAL : -EINVAL;
    calls.push(...callsOf(library, name, types, library[name], expected));
  }
  for (const [name, types] of Object.entries(throwing)) {
    const exported = library[name];
    const isClass = /^[A-Z]/.test(name);
    const call = isClass ? (...args) => new exported(...args) : exported;
    calls.push(...callsOf(library, name, types, call, "throws"));
  }
  for (const [owner, rows] of Object.entries(methods)) {
    for (const [method, types] of Object.entries(rows)) {
      const call = (...args) => instanceOf(library, owner)[method](...args);
      calls.push(...callsOf(library, `${owner}.${method}`, types, call, "throws"));
    }
  }
  return calls;
}

function instanceOf(library, owner) {
  const { SocketAddress, selector, reactor } = subjectsOf(library);
  return { SocketAddress, PollSelector: selector, Reactor: reactor }[owner];
}

function assertComplete(library) {
  const others = [bare, untyped].flatMap((list) => list.split(" "));
  const known = new Set([...Object.keys(io), ...Object.keys(throwing), ...others]);
  for (const [name, exported] of Object.entries(library)) {
    if (typeof exported !== "function" || known.has(name)) continue;
    throw new Error(`${name} is exported, and test/fuzz/wrong-types.mjs has no row for it`);
  }
}

/** @throws {Error} where the call did not refuse its argument as it should. */
export async function assertRefused({ name, args, call, expected }) {
  const outcome = await outcomeOf(call);
  if (outcome === (expected === "throws" ? "ERR_INVALID_ARG_TYPE" : expected)) return;
  const shown = args.map((arg) => typeof arg).join(", ");
  throw new Error(`${name} of (${shown}): ${String(outcome)}, not ${expected}`, {
    cause: args,
  });
}

/** What it returned, or the code or message of what it threw. */
async function outcomeOf(call) {
  try {
    return await call();
  } catch (error) {
    return error.code ?? error.message;
  }
}
