// The documents: their code is compiled, their commands are parsed, their links lead somewhere, and
// what extending.md says is done to a copy of this tree, which then measures.

import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inventedResults } from "./report-data.ts";
import { TypeChecker } from "./type-checker.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folders = ["", "docs", ".github/ISSUE_TEMPLATE"].filter((name) =>
  existsSync(join(root, name)),
);
const pages = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name)),
);

interface Block {
  readonly page: string;
  readonly language: string;
  /** What follows the language: `file="…"`, or `insert="…"` with `after` or `before`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

const blocks: readonly Block[] = pages.flatMap((page) =>
  [...readFileSync(join(root, page), "utf8").matchAll(/^```(\w*)([^\n]*)\n(.*?)^```$/gms)].map(
    ([, language = "", rest = "", text = ""]) => ({
      page,
      language,
      attributes: Object.fromEntries(
        [...rest.matchAll(/(\w+)=("(?:\\.|[^"])*"|\S+)/g)].map(([, name = "", value = ""]) => [
          name,
          value.startsWith('"') ? (JSON.parse(value) as string) : value,
        ]),
      ),
      text,
    }),
  ),
);

/** A copy of what the blocks need, inside this package, so that its dependencies are found. */
let copy: string;
let checker: TypeChecker;

beforeAll(() => {
  mkdirSync(join(root, "build"), { recursive: true });
  copy = mkdtempSync(join(root, "build", "docs-"));
  for (const name of ["src", "bench", "native", "package.json", "tsconfig.json", "binding.gyp"]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  mkdirSync(join(copy, "build"));
  symlinkSync(join(root, "build", "Release"), join(copy, "build", "Release"));
  const web = join("dist", "bench", "web");
  cpSync(join(root, web), join(copy, web), { recursive: true });
  for (const block of blocks) apply(block);
  const wholes = blocks.filter(
    ({ language, attributes }) => language === "ts" && Object.keys(attributes).length === 0,
  );
  mkdirSync(join(copy, "examples"));
  for (const [i, { text }] of wholes.entries()) {
    writeFileSync(join(copy, "examples", `block-${i}.ts`), text);
  }
  checker = new TypeChecker(copy);
});
afterAll(() => rmSync(copy, { recursive: true }));

function apply({ page, attributes, text }: Block): void {
  const { file, insert, after, before, change, from } = attributes;
  if (file !== undefined) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  }
  if (change !== undefined) replaceOnce(page, { file: change, from: from ?? "", text });
  if (insert === undefined) return;
  const old = readFileSync(join(copy, insert), "utf8");
  const anchor = after ?? before ?? "";
  if (anchor === "" || old.split(anchor).length !== 2) {
    throw new Error(`${page}: ${insert} has "${anchor}" ${old.split(anchor).length - 1} times`);
  }
  const changed =
    after !== undefined ? `${anchor}\n${text.trimEnd()}` : `${text.trimEnd()}\n${anchor}`;
  writeFileSync(
    join(copy, insert),
    old.replace(anchor, () => changed),
  );
}

function replaceOnce(page: string, change: { file: string; from: string; text: string }): void {
  const { file, from, text } = change;
  const old = readFileSync(join(copy, file), "utf8");
  if (from === "" || old.split(from).length !== 2) {
    throw new Error(`${page}: ${file} has "${from}" ${old.split(from).length - 1} times`);
  }
  writeFileSync(
    join(copy, file),
    old.replace(from, () => text.trimEnd()),
  );
}

/** What a program of the copy prints. */
function run(...args: readonly string[]): string {
  const cli = join(copy, "dist", "bench", "cli.js");
  const { stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: "utf8" });
  return stdout || stderr;
}

describe("the documents' code", () => {
  it("in TypeScript is checked by the compiler, what extending.md adds included", () => {
    expect(checker.compile()).toEqual([]);
  });

  it.skipIf(process.platform !== "linux")("measures the new contender and workload", () => {
    const cli = join(copy, "dist", "bench", "cli.js");
    const what = ["--workloads", "metronome", "--contenders", "node:pipe", "--json"];
    const load = "--connections 5 --rate 5000 --duration 0.2 --blocks 1 --budget 1".split(" ");
    const args = [cli, ...what, ...load, "--out", join(copy, "reports")];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    const { cells } = JSON.parse(stdout || `{"cells":${JSON.stringify(stderr)}}`);
    expect(cells).toContainEqual(
      expect.objectContaining({ contender: "node:pipe", workload: "metronome", mismatches: 0 }),
    );
    for (const { messages } of cells) expect(messages).toBeGreaterThan(0);
    const counted = cells.filter(({ blocks }: { blocks: number }) => blocks > 0);
    for (const { metrics } of counted) expect(metrics.serverWaitPercent.unit).toBe("percent");
  });

  const python = spawnSync("python3", ["--version"]).error === undefined;
  it.skipIf(process.platform !== "linux" || !python)("measures a server in Python", () => {
    const what = ["--contenders", "python:selectors", "--workloads", "echo-rate", "--json"];
    const load = "--connections 5 --rate 5000 --duration 0.2 --blocks 1 --budget 1".split(" ");
    const { cells } = JSON.parse(run(...what, ...load, "--out", join(copy, "python")));
    expect(cells).toContainEqual(
      expect.objectContaining({ contender: "python:selectors", runtime: "python", mismatches: 0 }),
    );
  });

  it("reports in the new format, with the new first sentence", async () => {
    const load = (name: string) => import(join(copy, "dist", "bench", "report", `${name}.js`));
    const [{ reportOf }, { formats }] = await Promise.all([load("report"), load("formats")]);
    expect(formats.line.text(reportOf(inventedResults()))).toMatch(
      /^10,000 connections, .*: cpp:reactor-epoll uses 11\.1 µs of server CPU for each message/,
    );
  });

  it.each([
    ["bench/model/workloads/echo-rate.ts", ', "serverWaitPercent"'],
    ["bench/model/workloads/catalogue.ts", "  metronome,"],
    [
      "bench/model/runtimes.ts",
      `
  python: {
    ...{ title: "Python servers", shape: "hexagon", soft: false },
    ...{ engine: "CPython", warmup: "none" },
  },`,
    ],
    ["bench/report/rendering.ts", '"line" |'],
    ["bench/report/formats.ts", "  line,"],
  ])("does not compile without its part in %s", (file, text) => {
    const path = join(copy, file);
    const changed = readFileSync(path, "utf8");
    expect(changed, file).toContain(text);
    expect(checker.firstComplaint(path, changed.replace(text, ""))).not.toBeNull();
  });

  it.skipIf(spawnSync("c++", ["--version"]).error !== undefined)("in C++ compiles", () => {
    const strict = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"];
    const standard = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-Inative"];
    const written = blocks.filter(({ language }) => language === "cpp");
    const files = written.map(({ attributes }) => attributes["file"] ?? attributes["insert"] ?? "");
    expect(new Set(files).size).toBe(2);
    const args = [...standard, ...strict, ...new Set(files)];
    execFileSync("c++", args, { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });
  });
});

describe("the documents' commands", () => {
  const lines = blocks
    .filter(({ language }) => language === "sh")
    .flatMap(({ page, text }) => text.split("\n").map((line) => ({ page, line: line.trim() })));
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

  it("name scripts that there are", () => {
    const missing = pages.flatMap((page) =>
      [...readFileSync(join(root, page), "utf8").matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)]
        .filter(([, name = ""]) => !Object.hasOwn(scripts, name))
        .map(([command]) => `${page}: ${command}`),
    );
    expect(missing).toEqual([]);
  });

  it("of the benchmark have options that it knows", () => {
    const found = lines.filter(({ line }) =>
      /^(npm run bench -- |npx io-selectors bench )/.test(line),
    );
    expect(found.length).toBeGreaterThan(3);
    const commands = found.map(({ line }) => {
      const args = line.replace(/^npm run bench -- |^npx io-selectors bench |\s+#.*$/g, "");
      const words = [...args.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, word]) => quoted ?? word,
      );
      return [...words.map(String), "--help"];
    });
    const program = [join("test", "programs", "read-options.mjs"), JSON.stringify(commands)];
    const { output, stderr } = spawnSync(process.execPath, program, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    const outcomes = JSON.parse(output[3] || "[]") as { status: number; stderr: string }[];
    expect(outcomes, stderr).toHaveLength(found.length);
    for (const [i, { page, line }] of found.entries()) {
      expect(outcomes[i]?.status, `${page}: ${line}: ${outcomes[i]?.stderr}`).toBe(0);
    }
  });
});

describe("the documents' links", () => {
  const anchorsOf = (page: string) =>
    [...readFileSync(join(root, page), "utf8").matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    );

  it("lead to files and headings of this tree", () => {
    const links = pages.flatMap((page) =>
      [...readFileSync(join(root, page), "utf8").matchAll(/\]\(([^)\s]+)\)/g)].map(
        ([, target = ""]) => ({ page, target }),
      ),
    );
    const broken = links.filter(({ page, target }) => {
      if (/^https?:/.test(target)) return false;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(file).includes(anchor);
    });
    expect(broken).toEqual([]);
    expect(links.length).toBeGreaterThan(10);
  });

  it("reach every page", () => {
    const linked = pages.map((page) => readFileSync(join(root, page), "utf8")).join("\n");
    const lonely = pages.filter(
      (page) => page.startsWith("docs/") && !linked.includes(`${page.slice("docs/".length)})`),
    );
    expect(lonely.filter((page) => page !== "docs/README.md")).toEqual([]);
  });
});
