// Figures without chance: what a server does for one message, on a busy machine too.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contender } from "../contenders/catalogue.ts";
import { Interrupted } from "../host/deadline.ts";
import type { RoundContext } from "../run/round.ts";
import { blockOrders } from "../statistics/latin.ts";
import { deriveSeed } from "../statistics/random.ts";
import { countInstructions } from "./exact/callgrind.ts";
import { countSystemCalls } from "./exact/strace.ts";
import { type Counted, ServerDied } from "./exact/traced-server.ts";
import type { ExactName } from "./metrics.ts";
import {
  type BlockFigures,
  endingFailure,
  type PairContext,
  type PairCourse,
  type RoundFailure,
} from "./pairs.ts";
import type { ExactRow } from "./profiles.ts";
import { contenderOf, type Side, sideName, sides } from "./sides.ts";

/** @returns the figure per message. @throws {CannotCount} */
type Counter = (counted: Counted, context: RoundContext) => Promise<number>;

const counters: Readonly<Record<ExactName, Counter>> = {
  systemCalls: countSystemCalls,
  instructions: countInstructions,
};

/** Measures every pair of a row. @throws {Interrupted} */
export async function measureExact(row: ExactRow, given: PairContext): Promise<PairCourse[]> {
  const courses: PairCourse[] = [];
  for (const name of row.contenders) {
    given.onProgress(`${row.metric} of ${name}: ${row.pairs} pairs`);
    courses.push(await measureContender(row, name, given));
  }
  return courses;
}

async function measureContender(
  row: ExactRow,
  name: string,
  { trees, context, seed, onProgress }: PairContext,
): Promise<PairCourse> {
  const blocks: BlockFigures[] = [];
  const failures: Record<Side, RoundFailure[]> = { base: [], again: [], head: [], planted: [] };
  const orders = blockOrders(sides, row.pairs, deriveSeed(seed, `order ${row.metric} ${name}`));
  for (const order of orders) {
    const figures: Partial<Record<Side, Record<string, number>>> = {};
    for (const side of order) {
      // It would fail as often as it is tried; the other sides are of use without it.
      if (endingFailure(failures[side])) continue;
      const told = await countOne(row, contenderOf(name, side, trees), context);
      if (typeof told === "number") {
        figures[side] = { [row.metric]: told };
      } else {
        failures[side].push(told);
        onProgress(`${row.metric}: ${sideName(name, side)}: ${told.text}`);
      }
    }
    blocks.push(figures);
  }
  return { contender: name, blocks, failures };
}

/** Counts once; a failure is words, not an exception. @throws {Interrupted} */
export async function countOne(
  { metric, messages }: Pick<ExactRow, "metric" | "messages">,
  contender: Contender,
  context: RoundContext,
  preload: string | null = null,
): Promise<number | RoundFailure> {
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-count-"));
  try {
    const argv = contender.command(context.host.paths, 1);
    return await counters[metric]({ argv, messages, folder, preload }, context);
  } catch (error) {
    if (error instanceof Interrupted || !(error instanceof Error)) throw error;
    return { text: error.message, kind: error instanceof ServerDied ? "died" : "other" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
