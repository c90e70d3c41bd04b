// `npm run bench`: finds the command, reads its options, runs it. It starts when it is imported and
// leaves its exit code in process.exitCode. Standard input is never read.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  commandLines,
  exampleColumns,
  filled,
  helpColumns,
  optionLines,
  parseOptions,
  suggestion,
  UsageError,
} from "./command-line.ts";
import { adviseCommand } from "./commands/advise.ts";
import {
  type Command,
  exitFailure,
  exitLines,
  exitUsage,
  print,
  sayWrapped,
} from "./commands/command.ts";
import { compareCommand } from "./commands/compare.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { listCommand } from "./commands/list.ts";
import { listLines } from "./commands/listing.ts";
import { regressionCommand } from "./commands/regression.ts";
import { reportCommand } from "./commands/report.ts";
import { runCommand } from "./commands/run.ts";
import { targetCommand } from "./commands/target.ts";
import { trendCommand } from "./commands/trend.ts";
import { guardStreams, isSystemError, OutputError } from "./host/output.ts";
import { asTyped, packagePaths } from "./paths.ts";

/** A command is one file in commands/ and one row here; the first runs if none is named. */
const commands: readonly Command[] = [
  runCommand,
  targetCommand,
  doctorCommand,
  listCommand,
  reportCommand,
  adviseCommand,
  compareCommand,
  regressionCommand,
  trendCommand,
];

/** Options that npm also has: npm may pass them to any script. */
const optionsOfNpm: readonly string[] = ["depth", "json", "prefix"];

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code. Exported for tests, which call it with one line after another. */
export async function main(argv: readonly string[]): Promise<number> {
  guardStreams("bench");
  try {
    refuseSwallowed();
    const [first = ""] = argv;
    const named = !first.startsWith("-") && first !== "";
    const command = named ? findCommand(first) : runCommand;
    const given = parseOptions(named ? argv.slice(1) : argv, command.options);
    if (given.values["help"] === true) return print(help(command, named));
    if (given.values["version"] === true) return print(version());
    if (command.operands === "" && given.words.length > 0) {
      throw new UsageError(
        `unknown argument "${given.words[0]}"; ${command.name} takes options only`,
      );
    }
    return await command.execute(given);
  } catch (error) {
    const lost = error instanceof OutputError;
    if (!lost && !(error instanceof UsageError) && !isSystemError(error)) throw error;
    sayWrapped(`bench: ${error.message}`);
    return lost ? exitFailure : exitUsage;
  }
}

function findCommand(name: string): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const names = commands.map((command) => command.name);
  throw new UsageError(`unknown command "${name}"; ${suggestion(name, names, "commands")}`);
}

/** npm keeps options before "--" and reports them in the environment. @throws {UsageError} */
function refuseSwallowed(): void {
  const { npm_lifecycle_event: script = "" } = process.env;
  if (script !== "bench" && script !== "bench:regression") return;
  for (const { name, value } of commands.flatMap(({ options }) => options)) {
    const given = process.env[`npm_config_${name.replaceAll("-", "_")}`];
    if (given === undefined || optionsOfNpm.includes(name)) continue;
    const example = value === "" ? `--${name}` : `--${name} …`;
    throw new UsageError(
      `npm kept --${name} for itself; options come after "--": npm run ${script} -- ${example}`,
    );
  }
}

function help(command: Command, named: boolean): string {
  const { operands, options, details, summary } = command;
  const { inClone } = packagePaths();
  const examples = command.examples.filter(([, , needs]) => inClone || needs !== "clone");
  const usage = ["npm run bench --", ...(named ? [command.name] : []), operands, "[options]"];
  const text = [
    usage.filter((part) => part !== "").join(" "),
    "",
    ...filled(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`, helpColumns),
    "",
    ...(named ? [] : ["commands (each with --help):", ...listLines(commands), ""]),
    "options:",
    ...optionLines(options),
    "",
    "examples:",
    ...examples.flatMap(([line, meaning]) => {
      const oneLine = `  ${line}  # ${meaning}`;
      if (oneLine.length <= exampleColumns) return [oneLine];
      const lines = commandLines(line, exampleColumns - 4);
      const words = filled(meaning, helpColumns - 8).map((part) => `      # ${part}`);
      return [...lines.map((part) => `  ${part}`), ...words];
    }),
    ...(details === undefined ? [] : ["", ...details()]),
    "",
    ...(command.exits ?? exitLines),
  ].join("\n");
  return asTyped(text);
}

function version(): string {
  const text = readFileSync(join(packagePaths().root, "package.json"), "utf8");
  return String((JSON.parse(text) as { version?: unknown }).version);
}
