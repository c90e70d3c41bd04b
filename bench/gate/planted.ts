// The control that must be caught: the base server once more, with one system call a message
// planted into it. native/planted_call is compiled for it and loaded with LD_PRELOAD.

import { join } from "node:path";
import type { RoundContext } from "../run/round.ts";
import { gateCauseText } from "./causes.ts";
import { countOne } from "./exact.ts";
import { gateMetric } from "./metrics.ts";
import type { Control } from "./outcome.ts";
import type { PairContext, PairCourse } from "./pairs.ts";
import type { ExactRow } from "./profiles.ts";
import { type BasePair, findAll } from "./rule.ts";
import { contenderOf } from "./sides.ts";
import { runTool } from "./tool.ts";

const compileTimeoutMs = 60_000;

/** @param folder for the compiled library. @throws {Interrupted} */
export async function plantedControls(
  row: ExactRow,
  courses: readonly PairCourse[],
  { folder, given }: { readonly folder: string; readonly given: PairContext },
): Promise<Control[]> {
  const library = join(folder, "planted-call.so");
  const problem = await compile(library, given.context);
  const controls: Control[] = [];
  for (const course of courses) {
    const name = `${course.contender} with a planted system call is caught`;
    given.onProgress(`control: ${course.contender} with a planted system call`);
    const detail = problem ?? (await caught(row, course, { library, given }));
    controls.push({ name, held: typeof detail !== "string", detail: wordsOf(detail) });
  }
  return controls;
}

/** @returns the ratio by which it was caught, or why it was not. */
async function caught(
  row: ExactRow,
  { contender, blocks }: PairCourse,
  { library, given }: { readonly library: string; readonly given: PairContext },
): Promise<number | string> {
  const server = contenderOf(contender, "base", given.trees);
  const pairs: BasePair[] = [];
  for (const { base } of blocks) {
    const without = base?.[row.metric];
    if (without === undefined) continue;
    const planted = await countOne(row, server, given.context, library);
    if (typeof planted !== "number") return planted.failure;
    pairs.push({ base: without, head: planted });
  }
  const test = { id: contender, ...gateMetric(row.metric), gates: true, planned: row.pairs, pairs };
  const [finding] = findAll([test]);
  if (finding?.word === "suspected") return finding.comparison?.ratio ?? Number.NaN;
  const why =
    finding?.cause == null
      ? `${finding?.comparison?.ratio.toFixed(3)} of the base`
      : gateCauseText(finding.cause);
  return `not seen: ${why}`;
}

function wordsOf(detail: number | string): string {
  return typeof detail === "string" ? detail : `${((detail - 1) * 100).toFixed(1)} % more calls`;
}

/** @returns null, or what went wrong. */
async function compile(library: string, context: RoundContext): Promise<string | null> {
  const compiler = process.env["CXX"] ?? "c++";
  const source = join(context.host.paths.root, "native", "planted_call", "planted_call.cc");
  const argv = [compiler, "-shared", "-fPIC", "-o", library, source];
  const { failure } = await runTool(argv, context, compileTimeoutMs);
  return failure === null ? null : `${compiler} ${failure}`;
}
