// Collapsed stacks: a line per stack with its frames from the outermost, a semicolon between them,
// and the number of samples. Brendan Gregg's format, which flame graph programs read.

import type { CpuProfile } from "../model/cpu-profile.ts";
import { plainLine } from "./format.ts";
import { identifier } from "./markup.ts";
import { noFiles, type ReportFormat } from "./rendering.ts";

function foldedText({ frames, stacks }: CpuProfile): string {
  const nameOf = (index: number) => plainLine(frames[index] ?? "[unknown]").replaceAll(";", ":");
  const lines = stacks.map(
    ([samples = 0, ...stack]) => `${stack.map(nameOf).join(";")} ${samples}\n`,
  );
  return lines.join("");
}

export const folded: ReportFormat = {
  name: "folded",
  text: null,
  files: ({ results: { cpuProfiles = [] } }) => {
    const sound = cpuProfiles.filter(({ reason }) => reason === null);
    if (sound.length === 0) return noFiles;
    const files = new Map<string, string>();
    for (const profile of sound) {
      const name = `profiles/${identifier(profile.contender)}`;
      // Two names may differ only in characters that a file's name does not have.
      const other = files.has(`${name}.folded`) ? `-${files.size + 1}` : "";
      files.set(`${name}${other}.folded`, foldedText(profile));
    }
    return files;
  },
};
