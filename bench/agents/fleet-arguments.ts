// The arguments of one load generator among several, and of the observer beside the server, made
// from those of the whole. Pure.

/** What is not an agent's: it cannot see the server, and no single one decides when to begin. */
const notForGenerators = ["--server-pid", "--steady-within-ms"];
/** A warm-up that would be watched lasts this long at least, milliseconds. */
const unwatchedWarmupMs = 2_000;

export interface PartOfFleet {
  readonly address: string;
  readonly part: number;
  readonly parts: number;
  readonly subcommand: "hold" | "run";
}

/** @param args pairs of `--name value` */
export function generatorArguments(
  args: readonly string[],
  { address, part, parts, subcommand }: PartOfFleet,
): string[] {
  const own = { "--host": address, "--part": String(part), "--parts": String(parts) };
  const begin = subcommand === "run" ? { "--begin-on-command": "1" } : {};
  const pairs = { ...withFixedWarmup(args), ...own, ...begin };
  return flatten(pairs, (name) => !notForGenerators.includes(name));
}

export function observerArguments(args: readonly string[]): string[] {
  return flatten(withFixedWarmup(args), (name) => name !== "--steady-within-ms");
}

function withFixedWarmup(args: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (let at = 0; at + 1 < args.length; at += 2) pairs[args[at] ?? ""] = args[at + 1] ?? "";
  const watched = Number(pairs["--steady-within-ms"] ?? 0);
  if (watched > 0) {
    const least = Math.min(watched, unwatchedWarmupMs);
    pairs["--warmup-ms"] = String(Math.max(Number(pairs["--warmup-ms"] ?? 0), least));
  }
  return pairs;
}

function flatten(
  pairs: Readonly<Record<string, string>>,
  keeps: (name: string) => boolean,
): string[] {
  return Object.entries(pairs).flatMap(([name, value]) => (keeps(name) ? [name, value] : []));
}
