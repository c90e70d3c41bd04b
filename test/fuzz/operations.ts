// The fuzz test's sequences, the same for the same seed. Their numbers are resolved at run time
// against what exists then, so a sequence with operations removed is still valid.

import { integerBelow, type Random } from "../../bench/statistics/random.ts";

/** How often each comes, in parts of their sum. */
const WEIGHTS = {
  open: 8,
  close: 8,
  dup: 5,
  reopen: 1,
  write: 12,
  read: 10,
  fill: 3,
  shutdown: 2,
  register: 14,
  modify: 8,
  unregister: 8,
  look: 3,
  select: 24,
} as const;

export type OperationName = keyof typeof WEIGHTS;

/** `a`, `b` and `c` choose among descriptors, kinds and sizes. */
export interface Operation {
  readonly name: OperationName;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const names = Object.entries(WEIGHTS).flatMap(([name, weight]) =>
  Array<OperationName>(weight).fill(name as OperationName),
);

export function generate(random: Random, count: number): Operation[] {
  const below = () => integerBelow(random, 2 ** 16);
  return Array.from({ length: count }, () => ({
    name: names[integerBelow(random, names.length)] as OperationName,
    a: below(),
    b: below(),
    c: below(),
  }));
}
