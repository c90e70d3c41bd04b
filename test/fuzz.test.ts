// Random sequences against the model, the same on every backend that works here. The seeds are
// fixed, so that what passed once passes again; `npm run test:fuzz` tries others.

import { describe, expect, it } from "vitest";
import { selectorClasses } from "./conformance/backends.ts";
import { hunt } from "./fuzz/hunt.ts";

const OPERATIONS = 50_000;

describe("every backend does what the model does", () => {
  it.each([1, 20261121])(
    `in ${OPERATIONS} operations of seed %i`,
    (seed) => {
      const last = [...hunt(selectorClasses, seed, OPERATIONS)].at(-1);
      expect(last?.operations).toBe(OPERATIONS);
      const pairs = (selectorClasses.length * (selectorClasses.length - 1)) / 2;
      expect(last?.compared).toBeGreaterThanOrEqual(pairs * OPERATIONS);
    },
    300_000,
  );
});
