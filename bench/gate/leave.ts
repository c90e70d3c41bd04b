// What the gate leaves on disk: a folder with regression.json, regression.md, regression.html.

import { join } from "node:path";
import { makeFolder, reportId, writeWhole } from "../report/write.ts";
import { renderGateHtml } from "./html.ts";
import { serializeGate } from "./json.ts";
import { renderGateMarkdown } from "./markdown.ts";
import type { GateResult } from "./result.ts";

/** A git pathspec of the folders that leaveGate() makes in the top folder of a repository. */
export const reportsInRoot = "[0-9]*T[0-9]*Z-regression-*";

/** @returns the new folder. @throws the file system's error. */
export function leaveGate(result: GateResult, reportsFolder: string): string {
  const { startedAt, profile } = result;
  const id = reportId({ startedAt, profile: `regression-${profile}` });
  const folder = makeFolder(reportsFolder, id);
  writeWhole(join(folder, "regression.json"), serializeGate(result));
  writeWhole(join(folder, "regression.md"), renderGateMarkdown(result));
  writeWhole(join(folder, "regression.html"), renderGateHtml(result));
  return folder;
}
