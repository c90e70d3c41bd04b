// Random sequences against the model, the same on every backend that works here. The seeds are
// fixed, so that what passed once passes again; SEED and OPERATIONS in the environment try others.

import { it } from "vitest";
import { selectorClasses } from "./conformance/backends.ts";
import { hunt } from "./fuzz/hunt.ts";

const operations = Number(process.env["OPERATIONS"] ?? 50_000);
const seeds = process.env["SEED"] === undefined ? [1, 20261121] : [Number(process.env["SEED"])];

it.each(seeds)(
  "every backend does what the model does: seed %i",
  (seed) => {
    hunt(selectorClasses, seed, operations);
  },
  300_000,
);
