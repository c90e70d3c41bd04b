// What to run after a run: the command that answers the question which its report leaves open.

import type { Report } from "./report.ts";
import { wrap } from "./text-table.ts";

/** A command and what it is for. */
interface FollowUp {
  readonly command: string;
  readonly purpose: string;
}

/** Of how many cells something else that ran may spoil before the machine is the question. */
const disturbedShare = 0.25;

const head = "Next:   ";

/** The command is whole, to be copied; its purpose goes below it if there is no room. */
export function nextLines({ command, purpose }: FollowUp, width: number): string[] {
  const line = `${head}${command}`;
  const whole = `${line}  # ${purpose}`;
  if (whole.length <= width) return [whole];
  const words = wrap(`# ${purpose}`, width - head.length, "# ");
  return [line, ...words.map((part) => " ".repeat(head.length) + part)];
}

export function nextOf({ results, confidence, opening }: Report): FollowUp {
  const { windows, cells, ranked } = confidence;
  if (ranked === 0 || windows.cells > disturbedShare * cells) {
    return { command: "npm run bench -- doctor", purpose: "what disturbs this machine" };
  }
  if (results.profile === "quick") {
    const purpose = "latency, memory, idle cost and capacity as well";
    return { command: "npm run bench -- --profile default", purpose };
  }
  const size = opening?.measured[0]?.connections ?? 1;
  const command = `npm run bench -- advise --connections ${size}`;
  return { command, purpose: "which strategy fits your load" };
}
