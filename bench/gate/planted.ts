// The control that must be caught: the base server once more, with one system call per message
// planted into it. native/planted_call is compiled for it and loaded with LD_PRELOAD.

import { join } from "node:path";
import type { RoundContext } from "../run/round.ts";
import type { GateCause } from "./causes.ts";
import type { Control, ControlOf } from "./controls.ts";
import { countOne } from "./exact.ts";
import { gateMetric } from "./metrics.ts";
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
    given.onProgress(`control: ${course.contender} with a planted system call`);
    const seen =
      problem === null
        ? await caught(row, course, { library, given })
        : unseen({ code: "said", text: problem });
    controls.push({ code: "planted-call", contender: course.contender, ...seen });
  }
  return controls;
}

type Seen = Pick<ControlOf<"planted-call">, "held" | "ratio" | "cause">;

function unseen(cause: GateCause | null, ratio: number | null = null): Seen {
  return { held: false, ratio, cause };
}

async function caught(
  row: ExactRow,
  { contender, blocks }: PairCourse,
  { library, given }: { readonly library: string; readonly given: PairContext },
): Promise<Seen> {
  const server = contenderOf(contender, "base", given.trees);
  const pairs: BasePair[] = [];
  for (const { base } of blocks) {
    const without = base?.[row.metric];
    if (without === undefined) continue;
    const planted = await countOne(row, server, given.context, library);
    if (typeof planted !== "number") return unseen({ code: "said", text: planted.text });
    pairs.push({ base: without, head: planted });
  }
  const test = { id: contender, ...gateMetric(row.metric), gates: true, planned: row.pairs, pairs };
  const [finding] = findAll([test]);
  const ratio = finding?.comparison?.ratio ?? null;
  if (finding?.word === "suspected") return { held: true, ratio, cause: null };
  return unseen(finding?.cause ?? null, ratio);
}

/** @returns null, or what went wrong. */
async function compile(library: string, context: RoundContext): Promise<string | null> {
  const compiler = process.env["CXX"] ?? "c++";
  const source = join(context.host.paths.root, "native", "planted_call", "planted_call.cc");
  const argv = [compiler, "-shared", "-fPIC", "-o", library, source];
  const { failure } = await runTool(argv, context, { timeoutMs: compileTimeoutMs });
  return failure === null ? null : `${compiler} ${failure}`;
}
