// The arguments of one load generator among several, and of the observer on the
// server's machine, made from those of the whole. Pure.

/** What is not an agent's: it cannot see the server, and no single one decides when to begin. */
const notForGenerators = ["--server-pid", "--steady-within-ms"];
/** A warm-up that would be watched lasts this long at least, milliseconds. */
const unwatchedWarmupMs = 2_000;

interface PartOfFleet {
  readonly address: string;
  readonly part: number;
  readonly parts: number;
  readonly subcommand: "hold" | "run";
}

type ArgumentPair = readonly [name: string, value: string];

/** @param args pairs of `--name value`; a name may come more than once */
export function generatorArguments(
  args: readonly string[],
  { address, part, parts, subcommand }: PartOfFleet,
): string[] {
  const pairs = withFixedWarmup(pairsOf(args)).filter(([name]) => !notForGenerators.includes(name));
  const own: ArgumentPair[] = [
    ["--host", address],
    ["--part", String(part)],
    ["--parts", String(parts)],
  ];
  if (subcommand === "run") own.push(["--begin-on-command", "1"]);
  // Naming the server's machine is what allows it.
  const spoken = pairs.some(([name]) => name === "--protocol");
  if (spoken && !address.startsWith("127.")) own.push(["--allow-remote", "1"]);
  return [...pairs, ...own].flat();
}

export function observerArguments(args: readonly string[]): string[] {
  const pairs = withFixedWarmup(pairsOf(args));
  return pairs.filter(([name]) => name !== "--steady-within-ms").flat();
}

function pairsOf(args: readonly string[]): ArgumentPair[] {
  const pairs: ArgumentPair[] = [];
  for (let at = 0; at + 1 < args.length; at += 2) pairs.push([args[at] ?? "", args[at + 1] ?? ""]);
  return pairs;
}

function withFixedWarmup(pairs: readonly ArgumentPair[]): ArgumentPair[] {
  const numberAt = (wanted: string) => Number(pairs.find(([name]) => name === wanted)?.[1] ?? 0);
  const watched = numberAt("--steady-within-ms");
  if (watched === 0) return [...pairs];
  const least = Math.min(watched, unwatchedWarmupMs);
  const warmup = String(Math.max(numberAt("--warmup-ms"), least));
  return [...pairs.filter(([name]) => name !== "--warmup-ms"), ["--warmup-ms", warmup]];
}
