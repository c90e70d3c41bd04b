// Random operations on connections against their model, on every engine and backend. The seeds are
// fixed; `npm run test:fuzz` tries others.

import { describe, expect, it } from "vitest";
import { deliver, onEnd } from "../src/connection-symbols.ts";
import { EngineConnection } from "../src/engine-connection.ts";
import { engines, missingEngines } from "./connections/engines.ts";
import { huntConnections } from "./fuzz/connection-hunt.ts";

/** Of all engines together. */
const OPERATIONS = 100_000;

async function hunt(way: (typeof engines)[number], seed: number, operations: number) {
  let last = { operations: 0, connections: 0, bytes: 0 };
  for await (last of huntConnections(way, seed, operations));
  return last;
}

it.skip.each(missingEngines)("by %s: %s", () => {});

describe("connections do what their model does", () => {
  const each = Math.ceil(OPERATIONS / engines.length);

  it.each(engines)(`in ${each} operations by %s`, async (...way) => {
    const { operations, connections, bytes } = await hunt(way, 20261128, each);
    expect(operations).toBe(each);
    expect(connections).toBeGreaterThan(each / 100);
    expect(bytes).toBeGreaterThan(each * 100);
  });
});

describe("a fault is found", () => {
  const { prototype } = EngineConnection;
  const real = { deliver: prototype[deliver], write: prototype.write };
  type Fault = readonly [name: string, key: PropertyKey, faulty: unknown, found: RegExp];
  const faults: readonly Fault[] = [
    [
      "a byte that is swallowed",
      deliver,
      function (this: EngineConnection, bytes: Uint8Array) {
        real.deliver.call(this, bytes.length > 4000 ? bytes.subarray(1) : bytes);
      },
      /it received other bytes|bytes of|end after/,
    ],
    [
      "bytes that come twice",
      deliver,
      function (this: EngineConnection, bytes: Uint8Array) {
        real.deliver.call(this, bytes);
        if (bytes.length > 4000) real.deliver.call(this, bytes);
      },
      /it received/,
    ],
    ["an end that is not reported", onEnd, () => {}, /close without a reason|end was called 0/],
    ["a pause that is forgotten", "pause", () => {}, /paused/],
    [
      "a write that ignores the high-water mark",
      "write",
      function (this: EngineConnection, bytes: Uint8Array) {
        real.write.call(this, bytes);
        return true;
      },
      /write\(\)'s answer|write\(\) once destroyed/,
    ],
  ];

  it.each(faults)("%s", async (_name, key, faulty, found) => {
    const before = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
    Object.defineProperty(prototype, key, { ...before, value: faulty });
    try {
      const hunting = hunt(engines[0] as (typeof engines)[number], 7, 20_000);
      await expect(hunting).rejects.toThrow(found);
      const again = /again: npm run test:fuzz -- --seed 7 .*--connections \d+ --engine readiness/;
      await expect(hunting).rejects.toThrow(again);
    } finally {
      Object.defineProperty(prototype, key, before);
    }
  });
});
