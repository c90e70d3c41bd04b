// Instructions per message in user space, by simulation: noise does not change them. callgrind(1)

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RoundContext } from "../../run/round.ts";
import { CannotCount, type Counted, exchange } from "./traced-server.ts";

/** Enough to have been everywhere once. */
const fewMessages = 50;

/** @throws {CannotCount} @throws {Interrupted} */
export async function countInstructions(counted: Counted, context: RoundContext): Promise<number> {
  const few = await total(counted, fewMessages, context);
  const many = await total(counted, fewMessages + counted.messages, context);
  return (many - few) / counted.messages;
}

async function total(
  { argv, folder }: Counted,
  messages: number,
  context: RoundContext,
): Promise<number> {
  const profile = join(folder, `callgrind.${messages}`);
  const tool = [
    "valgrind",
    "--tool=callgrind",
    "-q",
    "--vgdb=no",
    `--callgrind-out-file=${profile}`,
  ];
  await exchange([...tool, ...argv], messages, context);
  return totalOf(readFileSync(profile, "latin1"));
}

/** The sum of instructions in a callgrind file. Pure. @throws {CannotCount} */
export function totalOf(profile: string): number {
  const [, digits] = profile.match(/^(?:totals|summary): (\d+)/m) ?? [];
  if (digits === undefined) throw new CannotCount("callgrind: no total in its file");
  return Number(digits);
}
