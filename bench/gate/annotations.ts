// What GitHub shows at the top of a job: one workflow command per cell that decided. Pure.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions

import { plainLine } from "../report/format.ts";
import type { GateResult } from "./result.ts";
import { decidingCells, describeCell, verdictLine } from "./words.ts";

export function annotations(result: GateResult): string[] {
  const { outcome } = result;
  if (outcome === "pass") return [];
  if (outcome === "untrustworthy") return [command("error", "Gate", verdictLine(result))];
  const kind = outcome === "regression" ? "error" : "notice";
  return decidingCells(result).map((cell) =>
    command(kind, `${cell.contender} ${cell.metric}`, `${outcome}: ${describeCell(cell)}`),
  );
}

function command(kind: "error" | "notice", title: string, message: string): string {
  // A title is a property: there colons and commas mean something, too.
  const name = escaped(title).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::${kind} title=${name}::${escaped(message)}`;
}

function escaped(text: string): string {
  return plainLine(text).replaceAll("%", "%25");
}
