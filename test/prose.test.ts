// The language of the project as a test: words and patterns that plain technical English does
// without, and the one spelling of each term, over documents, comments, messages and labels.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

interface Rule {
  /** What must not be written. */
  readonly not: RegExp;
  /** What to write instead. */
  readonly use: string;
  /** A phrase that the rule must find, and one that it must pass. */
  readonly finds: string;
  readonly passes: string;
}

const quantity =
  "CPU|CPU time|µs|ns|ms|[Cc]ost|[Bb]ytes|B|kB|KiB|[Mm]emory|[Cc]alls|[Mm]essages|switches|" +
  "wake-ups|[Rr]eads|reloads|sends|accepts|accepted|[Rr]equests|[Ee]vents|[Cc]onnections|" +
  "[Dd]eliveries|megabytes|windows|rounds|turns|times|once|twice|operations|files";
const base =
  "message|connection|second|minute|peer|delivery|request|wait|event|listener|registration|" +
  "operation|core|read|reader|member|round(?! trip)|turn|block|process|thread|window";

const rules: readonly Rule[] = [
  {
    not: new RegExp(`(?<![\\w-])(?:${quantity}) an? (?:${base})(?=[\\s.,;:)|\`"]|$)`, "g"),
    use: "per: CPU per message, bytes per connection",
    finds: "server CPU a message",
    passes: "CPU per message",
  },
  {
    not: /\bdear(?:er|est)?\b/gi,
    use: "expensive, more expensive, most expensive",
    finds: "names are dear here",
    passes: "the most expensive server",
  },
  {
    not: /\bwhom?ever\b/gi,
    use: "the caller, the process, the program that",
    finds: "Whoever accepts counts",
    passes: "the process that accepts counts",
  },
  {
    not: /\b(?:nobody|somebody|anybody|everybody)\b/gi,
    use: "no process, another program, any server, all users",
    finds: "the number may be somebody else's",
    passes: "another program",
  },
  {
    not: /\b(?:Enters|Leaves): /g,
    use: "a head of one to three sentences that says what the file is and why",
    finds: "// Enters: a scale. Leaves: a load.",
    passes: "// A scale becomes a load.",
  },
  {
    not: /\b(?:tells?|told|telling) (?:[\w`'.]+ ){0,3}apart\b/gi,
    use: "distinguish; not resolved; no significant difference",
    finds: "not told apart from the reference",
    passes: "no significant difference",
  },
  {
    not: /\b(?:leave|leaves|left|leaving) late\b|\blateness\b/gi,
    use: "the load generator sent late; sender delay",
    finds: "messages left late",
    passes: "the load generator sent late",
  },
  {
    not: /\b(?:windows?|blocks?) (?:that|which) (?:do|does|did) not count\b/gi,
    use: "discarded windows, discarded blocks",
    finds: "windows that do not count",
    passes: "discarded windows",
  },
  {
    not: /\b(?:to|can|cannot|could|may) be had\b|\b(?:is|are) had\b/gi,
    use: "available",
    finds: "where none can be had",
    passes: "if none is available",
  },
  {
    not: /\b(?:reads|counts|knows|sees|answers|waits) not(?=[.,;:)])/gi,
    use: "does not read, does not count",
    finds: "or it reads not.",
    passes: "or it does not read",
  },
  {
    not: /\b(?:platform|system|machine|kernel) (?:does|do|did) not tell\b/gi,
    use: "not available on this platform",
    finds: "where the platform does not tell",
    passes: "not available on this platform",
  },
  {
    not: /\bcould see\b/gi,
    use: "detect; regression, no regression, not resolved",
    finds: "could see 259 % at best",
    passes: "can detect a change of 259 % or more",
  },
  {
    not: /\bso (?:many|long|much) at most\b/gi,
    use: "at most, up to",
    finds: "until it is steady, so long at most",
    passes: "at most this long",
  },
  {
    not: /\b(?:is|are) silent then\b|\b(?:twice|unregister`?|close`?) is silent\b/gi,
    use: "is a no-op",
    finds: "`unregister` is silent then",
    passes: "`unregister` is a no-op",
  },
  {
    not: /(?:[,.:;] |^)who (?:is|are|was|does|has|wants|needs|asks|only|waits|sends|reads)\b/gim,
    use: "a program that, the caller, a peer that",
    finds: "It is level-triggered, and a write wakes it: who only writes spins",
    passes: "a registration that only writes spins",
  },
  {
    not: /\b(?:but|save) for\b(?! (?:the|a|now|this) (?:reason|first|rest))/gi,
    use: "except for, except",
    finds: "with a FIN instead of a reset, but for `connect-rate`",
    passes: "except in `connect-rate`",
  },
  {
    not: /\b(?:whilst|lest|albeit|hence|thus|upon|amongst|thereby|therein|herein|nought)\b/gi,
    use: "while, so that, so, on, among",
    finds: "each is an engine, hence the memory",
    passes: "each is an engine, so it takes memory",
  },
  {
    not: new RegExp(
      "\\b(?:null|nullptr|undefined|empty|true|false|nothing|only|none|0) where\\b|" +
        "\\bwhere there (?:is|are|was|were)\\b",
      "gi",
    ),
    use: "if, for a condition; where, for a place",
    finds: "null where it is missing",
    passes: "null if it is missing",
  },
  {
    not: /\banew\b|\bfor good\b|\bin vain\b/gi,
    use: "again; permanently; without result",
    finds: "the set is made anew",
    passes: "the set is rebuilt",
  },
  {
    not: /\bunless told\b/gi,
    use: "default: 100; by default",
    finds: "100 unless told",
    passes: "default: 100",
  },
  {
    not: /\bis none of\b/gi,
    use: "is not one of",
    finds: '"gopher" is none of echo, http',
    passes: '"gopher" is not one of echo, http',
  },
  {
    not: /(?<=[.:] )Of (?:several|those|these|many|all|what|two|each)\b[^.?]*, /g,
    use: "subject first: GitHub keeps only the newest queued run",
    finds: "It waits. Of several that wait for a run, GitHub keeps the newest only.",
    passes: "It waits. GitHub keeps only the newest queued run.",
  },
];

/** Terms with one spelling. */
const spellings: readonly Rule[] = [
  {
    not: /\bback[ ]?pressure\b/gi,
    use: "back-pressure",
    finds: "backpressure",
    passes: "back-pressure",
  },
  { not: /\bwakeups?\b|\bwake ups\b/g, use: "wake-up", finds: "wakeups", passes: "wake-ups" },
  {
    not: /\bio-uring\b(?!\.py)|\bIO_uring\b/g,
    use: "io_uring",
    finds: "io-uring",
    passes: "io_uring",
  },
  {
    not: /\bNodeJS\b(?!\.)|\bNode\.JS\b|\bNode JS\b/g,
    use: "Node.js or Node",
    finds: "NodeJS",
    passes: "Node.js",
  },
  {
    not: /\b(?:Mac OS X|(?<!Contents\/)MacOS|OS X)\b/g,
    use: "macOS",
    finds: "MacOS",
    passes: "macOS",
  },
  {
    not: /\b(?:busy looping|busy-waiting)\b/gi,
    use: "busy waiting, busy polling",
    finds: "busy-waiting",
    passes: "busy waiting",
  },
  { not: /(?<!-)\bbehavior\b/g, use: "behaviour", finds: "behavior", passes: "behaviour" },
];

/** What this test reads: every text of the repository that a person wrote for a person. */
const paths = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((path) => /\.(ts|mjs|js|cc|h|md|yml)$|^\.ci\/|\.gypi?$/.test(path))
  .filter((path) => !/^reports\/reference\/|^test\/prose\.test\.ts$/.test(path));

/** The text as it is read: comment marks and the seams of broken strings are gone. */
function readable(text: string): string {
  return text
    .replace(/["'`]\s*\+\s*\n\s*["'`]/g, (seam) => "\n".repeat(seam.split("\n").length - 1))
    .replace(/^[ \t]*(?:\/\/+|\/\*\*?|\*(?!\/)|#+)[ \t]?/gm, "");
}

function offencesOf(path: string): string[] {
  const text = readable(readFileSync(join(root, path), "utf8"));
  // A phrase may run over the end of a line, a sentence does not run over a paragraph.
  const flowing = text.replace(/(?<!\n)\n(?!\n)[ \t]*/g, " ").replace(/ {2,}/g, " ");
  return [...rules, ...spellings].flatMap(({ not, use }) =>
    [...flowing.matchAll(not)].map(
      (match) => `${path}: "${around(flowing, match.index, match[0].length)}"; write: ${use}`,
    ),
  );
}

const around = (text: string, at: number, length: number) =>
  text
    .slice(Math.max(0, at - 30), at + length + 20)
    .replace(/\s+/g, " ")
    .trim();

const offences = paths.flatMap(offencesOf);

describe("the language", () => {
  it("is plain: no word or pattern that the glossary forbids", () => {
    expect(offences).toEqual([]);
    expect(paths.length).toBeGreaterThan(500);
  });

  it.each([...rules, ...spellings])("has a rule that finds what it is for: $use", (rule) => {
    expect(readable(rule.finds)).toMatch(rule.not);
    expect(rule.passes).not.toMatch(rule.not);
  });
});
