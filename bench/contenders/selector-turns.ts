// The readiness workload in one process: node selector-turns.js BACKEND PAIRS ACTIVE WRITES.
// Registers PAIRS socket pairs, makes ACTIVE of them readable, and handles WRITES events, each of
// which makes another pair readable (the shape of libevent's bench.c). Prints one JSON line with
// nanoseconds per call and per event, or one with the reason why the backend is refused here.

import {
  availableBackends,
  type BackendName,
  EVENT_READ,
  EVENT_WRITE,
  recv,
  type Selector,
  send,
  socketPair,
} from "../../src/index.ts";
import { openSelector } from "./open-selector.ts";

interface TurnShape {
  readonly pairs: number;
  readonly active: number;
  readonly writes: number;
}

interface Turn {
  readonly eventNs: number;
  readonly waitNs: number;
  readonly eventsPerWait: number;
}

/** Turns go on for so long, and there are at least so many; the median counts. */
const measuredMs = 300;
const fewestTurns = 5;
/** Standard streams, the selector's own. */
const otherDescriptors = 64;

const [name = "", ...numbers] = process.argv.slice(2);
const [pairs = 0, active = 0, writes = 0] = numbers.map(Number);

try {
  const backend = availableBackends().find((row) => row.name === name);
  if (backend === undefined) throw new RangeError(`unknown backend "${name}"`);
  const line = backend.available
    ? { event: "readiness", ...measure(backend.name, { pairs, active, writes }) }
    : { event: "unavailable", reason: backend.reason ?? `${name} does not work here` };
  process.stdout.write(`${JSON.stringify(line)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function measure(name: BackendName, shape: TurnShape) {
  const selector = openSelector<number>(name, 2 * shape.pairs + otherDescriptors);
  const both = Array.from({ length: shape.pairs }, () => socketPair());
  const readers = both.map(([reader]) => reader);
  const writers = both.map(([, writer]) => writer);
  const registerNs = eachNs(readers, (fd, index) => selector.register(fd, EVENT_READ, index));
  const turns: Turn[] = [];
  // The first one also warms up.
  takeTurn(selector, { readers, writers, shape });
  const endMs = performance.now() + measuredMs;
  while (turns.length < fewestTurns || performance.now() < endMs) {
    turns.push(takeTurn(selector, { readers, writers, shape }));
  }
  const modifyNs = eachNs(readers, (fd, index) => selector.modify(fd, EVENT_WRITE, index));
  const unregisterNs = eachNs(readers, (fd) => selector.unregister(fd));
  selector.close();
  const middle = (field: keyof Turn) => middleOf(turns.map((turn) => turn[field]));
  return {
    waitNs: middle("waitNs"),
    eventNs: middle("eventNs"),
    eventsPerWait: middle("eventsPerWait"),
    registerNs,
    modifyNs,
    unregisterNs,
  };
}

interface Pairs {
  readonly readers: readonly number[];
  readonly writers: readonly number[];
  readonly shape: TurnShape;
}

function takeTurn(selector: Selector<number>, { readers, writers, shape }: Pairs): Turn {
  const byte = new Uint8Array(1);
  const spacing = Math.max(1, Math.floor(shape.pairs / shape.active));
  const wake = (index: number) => {
    if (send(writers[index % shape.pairs] ?? -1, byte) !== 1)
      throw new Error("a write was refused");
  };
  const startedNs = process.hrtime.bigint();
  let waitNs = 0n;
  let waits = 0;
  let handled = 0;
  for (let index = 0; index < shape.active; index++) wake(index * spacing);
  let left = Math.max(0, shape.writes - shape.active);
  const total = shape.active + left;
  while (handled < total) {
    const before = process.hrtime.bigint();
    const count = selector.poll(null);
    waitNs += process.hrtime.bigint() - before;
    waits++;
    for (let i = 0; i < count; i++) {
      const index = selector.readyKey(i)?.data;
      if (index === undefined) continue;
      if (recv(readers[index] ?? -1, byte) !== 1) throw new Error("an event without its byte");
      handled++;
      if (left-- > 0) wake(index + spacing);
    }
  }
  const elapsedNs = Number(process.hrtime.bigint() - startedNs);
  return {
    eventNs: elapsedNs / total,
    waitNs: Number(waitNs) / waits,
    eventsPerWait: handled / waits,
  };
}

function eachNs(fds: readonly number[], operation: (fd: number, index: number) => unknown): number {
  const startedNs = process.hrtime.bigint();
  for (const [index, fd] of fds.entries()) operation(fd, index);
  return Number(process.hrtime.bigint() - startedNs) / fds.length;
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0;
}
