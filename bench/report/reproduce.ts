// The command line that measures the same again.

import type { Results } from "../model/results.ts";
import { plainLine } from "./format.ts";

/** What `target` chooses by itself. */
const ownOfTarget = ["contenders", "spoken"];
const usualName = "target";
const usualWorkloads = "echo-rate";
/** The file may be anyone's: nothing else in the place of a name becomes part of a command. */
const optionName = /^[a-z][a-z0-9-]*$/;

/** The same again, from the profile, the seed and the options that were given. */
export function reproduceCommand(results: Results): string {
  const given = results.settings["options"];
  const options = typeof given === "object" && given !== null ? Object.entries(given) : [];
  const target = results.profile === "target";
  const own = new Set(["profile", "seed", "out", "live", ...(target ? ownOfTarget : [])]);
  return [
    // A command may hold names and paths of its owner's: it is left out.
    target
      ? `npm run bench -- target ${commandsOf(results)}`
      : `npm run bench -- --profile ${shellWord(results.profile)}`,
    `--seed ${results.seed}`,
    ...options
      .filter(([name, value]) => optionName.test(name) && value !== null && value !== undefined)
      .filter(([name]) => !own.has(name))
      // Of requests that are no echo; and what target measures without being asked.
      .filter(([name, value]) => name !== "payload" || value !== 0)
      .filter(([name, value]) => !target || name !== "workloads" || `${value}` !== usualWorkloads)
      .map(([name, value]) =>
        value === true
          ? `--${name}`
          : `--${name} ${shellWord(Array.isArray(value) ? value.join(",") : String(value))}`,
      ),
  ].join(" ");
}

/** One per server; several need names. */
function commandsOf({ cells }: Results): string {
  const foreign = cells.filter(({ runtime }) => runtime === "foreign");
  const names = [...new Set(foreign.map(({ contender }) => contender))];
  const command = "--command '… {port}'";
  if (names.every((name) => name === usualName)) return command;
  return names.map((name) => `--name ${shellWord(name)} ${command}`).join(" ");
}

/** In one line: a line break would end the command, or the code block that it is in. */
function shellWord(text: string): string {
  const line = plainLine(text);
  return /^[\w.,:/=@%+-]+$/.test(line) ? line : `'${line.replaceAll("'", "'\\''")}'`;
}
