// What a stranger gets: the tarball of `npm pack`, installed in an empty folder without a registry
// and without a compiler on the PATH, then used as the README says, in JavaScript and TypeScript.

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "./type-checker.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "io-selectors-package-")));
const consumer = join(folder, "consumer");
const installed = join(consumer, "node_modules", "io-selectors");
const running = new Set<ChildProcess>();
interface Packed {
  readonly name: string;
  readonly version: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
  readonly size: number;
  readonly unpackedSize: number;
  readonly filename: string;
}
let packed: Packed;
let installation: ReturnType<typeof npm>;

/** A PATH with Node, npm and a shell, and nothing that compiles. */
const tools = join(folder, "tools");
const environment = {
  PATH: tools,
  HOME: folder,
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false",
};

function makeTools(): void {
  mkdirSync(tools);
  symlinkSync(process.execPath, join(tools, "node"));
  for (const name of ["npm", "npx", "sh"]) {
    const folders = [dirname(process.execPath), ...(process.env["PATH"] ?? "").split(delimiter)];
    const found = folders.map((each) => join(each, name)).find((path) => existsSync(path));
    if (found === undefined) throw new Error(`no ${name} on the PATH`);
    symlinkSync(realpathSync(found), join(tools, name));
  }
}

function npm(command: "npm" | "npx", args: readonly string[], cwd = consumer) {
  return spawnSync(join(tools, command), args, { cwd, env: environment, encoding: "utf8" });
}

/** Makes a tarball of each folder. @returns what npm says of them, in their order. */
function pack(...paths: readonly string[]): Packed[] {
  const args = ["pack", ...paths, "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout, stderr, status } = npm("npm", args, root);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

beforeAll(() => {
  execFileSync(process.execPath, [join(root, "build.mjs"), "prebuild", "--as-built"]);
  makeTools();
  mkdirSync(consumer);
  // Its two dependencies from node_modules: no registry is asked.
  const others = ["node-addon-api", "node-gyp-build"];
  const all = pack(...others.map((name) => join(root, "node_modules", name)), root);
  const own = all.find(({ name }) => name === "io-selectors");
  if (own === undefined) throw new Error("npm pack made no tarball of this package");
  packed = own;
  const dependencies = Object.fromEntries(
    all.map(({ name, filename }) => [name, `file:${join(folder, filename)}`]),
  );
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true, dependencies }));
  installation = npm("npm", ["install", "--offline", "--foreground-scripts"]);
}, 120_000);

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

describe("the tarball", () => {
  it("holds what it needs and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    const folders = /^(bin|dist\/(src|bench)|native|prebuilds|docs|reports)\//;
    const files = /^(binding\.gyp|package\.json|[A-Z]+(\.md)?)$/;
    expect(paths.filter((path) => !folders.test(path) && !files.test(path))).toEqual([]);
    const unwanted = /\.map$|\.test\.|^dist\/bench\/micro\/|^dist\/bench\/.*\.d\.ts$/;
    expect(paths.filter((path) => unwanted.test(path))).toEqual([]);
    const scripts = paths.filter((path) => /^dist\/src\/.*\.js$/.test(path));
    expect(scripts).toEqual(["dist/src/index.js"]);
    const needed = [
      "LICENSE",
      "README.md",
      "dist/src/index.d.ts",
      "dist/bench/contenders/selector-turns.js",
    ];
    expect(paths).toEqual(expect.arrayContaining(needed));
  });

  it("has every page and picture that its README links to", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const targets = [...readme.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
      .map(([, link, picture]) => (link ?? picture ?? "").replace(/#.*/, ""))
      .filter((target) => target !== "" && !/^https:/.test(target));
    const paths = new Set(packed.files.map(({ path }) => path));
    expect(targets.filter((target) => !paths.has(target))).toEqual([]);
    expect(targets.length).toBeGreaterThan(15);
  });

  it("has programs that may be run", () => {
    const programs = packed.files.filter(({ path }) => /^(prebuilds|bin)\//.test(path));
    const wrong = programs.filter(({ mode }) => (mode & 0o111) !== 0o111);
    expect(programs.length).toBeGreaterThanOrEqual(4);
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it("is smaller than the documents say", () => {
    const [, packedKb, unpackedMb] =
      /smaller than ([\d,]+) kB\s\((\d+) MB unpacked\)/.exec(
        readFileSync(join(root, "docs", "install.md"), "utf8"),
      ) ?? [];
    expect(packed.size).toBeLessThan(Number(packedKb?.replace(",", "")) * 1000);
    expect(packed.unpackedSize).toBeLessThan(Number(unpackedMb) * 1_000_000);
  });

  it("names no folder of the machine that made it", () => {
    const leaks = packed.files.filter(({ path }) =>
      readFileSync(join(installed, path)).includes(root),
    );
    expect(leaks.map(({ path }) => path)).toEqual([]);
  });

  it("imports only what is in it, in Node or in its dependencies", () => {
    const missing = packed.files
      .filter(({ path }) => path.startsWith("dist/") && path.endsWith(".js"))
      .flatMap(({ path }) => {
        const text = readFileSync(join(installed, path), "utf8");
        return (
          [...text.matchAll(/(?:\bfrom |\bimport\(|^import )"([^"\s]+)"/gm)]
            .map(([, what = ""]) => what)
            // Without zeromq, what is measured against it is "unavailable".
            .filter((what) => !what.startsWith("node:") && what !== "zeromq")
            .filter((what) => !existsSync(join(installed, dirname(path), what)))
            .map((what) => `${path}: ${what}`)
        );
      });
    expect(missing).toEqual([]);
  });

  it("has types without what TypeScript 5.4 lacks: arrays generic in their buffer", () => {
    const types = packed.files.filter(({ path }) => path.endsWith(".d.ts"));
    const generic = types.filter(({ path }) =>
      /\b(?:Ui|I)nt\d+Array</.test(readFileSync(join(installed, path), "utf8")),
    );
    expect(generic.map(({ path }) => path)).toEqual([]);
  });

  it("is found by resolvers that do not know exports", () => {
    const text = readFileSync(join(installed, "package.json"), "utf8");
    const { main, types, exports } = JSON.parse(text);
    expect({ default: main, types }).toEqual(exports["."]);
  });

  it("has nothing that publint warns of", async () => {
    const { publint } = await import("publint");
    const { messages } = await publint({ pkgDir: installed, strict: true, pack: false });
    expect(messages.filter(({ type }) => type !== "suggestion")).toEqual([]);
  });
});

describe("installed without a compiler", () => {
  it("took its prebuilt binary, and its install script had nothing to do", () => {
    expect(installation.status, installation.stderr).toBe(0);
    expect(existsSync(join(installed, "build"))).toBe(false);
    const platform = `${process.platform}-${process.arch}`;
    expect(readdirSync(join(installed, "prebuilds"))).toEqual([platform]);
  });

  it("runs the README's ten lines, as JavaScript", async () => {
    writeFileSync(join(consumer, "echo.mjs"), tenLines());
    await echoes(join(consumer, "echo.mjs"));
  });

  it("and as TypeScript", async () => {
    const config = {
      compilerOptions: {
        strict: true,
        skipDefaultLibCheck: true, // what TypeScript brings itself
        target: "es2022",
        module: "nodenext",
        outDir: "compiled",
        types: ["node"],
        typeRoots: [join(root, "node_modules", "@types")],
      },
      files: ["echo.mts"],
    };
    writeFileSync(join(consumer, "echo.mts"), tenLines());
    writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify(config));
    expect(compile(consumer)).toBe("");
    await echoes(join(consumer, "compiled", "echo.mjs"));
  }, 300_000);

  it("says in one line what to run if nothing fits", () => {
    const lonely = join(folder, "lonely");
    cpSync(consumer, lonely, { recursive: true });
    rmSync(join(lonely, "node_modules", "io-selectors", "prebuilds"), { recursive: true });
    const program = 'try { await import("io-selectors") } catch (e) { console.log(e.message) }';
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: lonely,
      encoding: "utf8",
    });
    const home = join(lonely, "node_modules", "io-selectors");
    expect(stdout).toMatch(/^io-selectors: no compiled addon for \S+, Node [\d.]+; run: .*\n$/);
    const advice = `run: npx node-gyp rebuild --directory "${home}"`;
    expect(stdout).toContain(advice);
    const bin = (word: string) =>
      spawnSync(process.execPath, [join(home, "bin", "io-selectors.js"), word], {
        encoding: "utf8",
      });
    expect(bin("bench").stderr).toMatch(/^io-selectors: no compiled addon for .*\n$/);
    expect(bin("bench").status).toBe(2);
    expect(bin("--version").stdout.trim()).toBe(packed.version);
  });
});

describe.skipIf(process.platform !== "linux")("npx io-selectors bench", () => {
  const link = join(consumer, "node_modules", ".bin", "io-selectors"); // what npx runs
  const bench = (...args: string[]) => spawnSync(link, args, { cwd: consumer, encoding: "utf8" });

  it("explains itself with the command of the installed package", () => {
    const { stdout, status } = bench("bench", "target", "--help");
    expect(stdout).toContain("npx io-selectors bench target --command");
    expect(stdout).not.toContain("npm run");
    expect(status).toBe(0);
  });

  it("shows only examples that work in the user's repository", () => {
    const { stdout } = bench("regression", "--help");
    const examples = stdout.split("examples:\n")[1]?.split("\n\n")[0] ?? "";
    const commands = examples.split("\n").filter((line) => line.includes("npx"));
    expect(commands).toEqual([expect.stringContaining("npx io-selectors regression --base")]);
    expect(examples).toContain("--command");
    expect(bench("bench", "trend", "--help").stdout).not.toContain("regression");
  });

  it("says how it is used", () => {
    expect(npm("npx", ["--no", "io-selectors", "help"]).stdout).toMatch(/^usage: npx io-selectors/);
    expect(bench("-h").stdout).toMatch(/^usage: npx io-selectors/);
    expect(bench("bench", "-h").stdout).toBe(bench("bench", "--help").stdout);
    expect(bench("--version").stdout.trim()).toBe(packed.version);
    const wrong = bench("build");
    expect(wrong.stderr).toMatch(
      /^io-selectors: unknown command "build"; one of: bench, regression/,
    );
    expect(wrong.status).toBe(2);
  });

  it("measures, with the prebuilt servers, into the user's folder", () => {
    const load = "--connections 5 --rate 5000 --duration 0.2 --blocks 1 --budget 1".split(" ");
    const who = ["--seed", "1", "--contenders", "cpp:reactor-epoll,ts:reactor-epoll"];
    const { stdout, stderr } = bench("bench", ...who, ...load, "--out", "reports");
    expect(stdout, stderr).toContain("cpp:reactor-epoll");
    expect(stdout).toMatch(/^Next: +npx io-selectors bench /m);
    expect(stdout).not.toContain("npm run");
    expect(stdout).not.toMatch(/\bfailed\b|\bunavailable\b/);
    expect(existsSync(join(consumer, "reports", "latest", "report.md"))).toBe(true);
  }, 120_000);

  it("measures what needs no echo server, too", () => {
    const where = ["--workloads", "readiness,broadcast,event-delivery"];
    const who = ["--contenders", "selector:poll,node:net,signal:all"];
    const load = "--connections 4 --duration 0.2 --blocks 1 --budget 1".split(" ");
    const { stdout, stderr } = bench("bench", ...where, ...who, ...load, "--out", "more");
    for (const name of ["selector:poll", "node:net", "signal:all"]) expect(stdout).toContain(name);
    expect(stdout, stderr).not.toMatch(/\bfailed\b|\bunavailable\b/);
    expect(stderr).not.toMatch(/ERR_MODULE_NOT_FOUND|Cannot find/);
  }, 120_000);

  it("offers what can run, and says what is missing", () => {
    const listed = JSON.parse(bench("bench", "list", "--json").stdout);
    const names = (rows: { name: string }[]) => rows.map(({ name }) => name);
    const offered = listed.families.flatMap(({ contenders }: { contenders: { name: string }[] }) =>
      names(contenders),
    );
    expect(names(listed.workloads)).toContain("event-delivery");
    expect(names(listed.workloads)).not.toContain("replicas");
    expect(names(listed.missing)).toEqual([
      "zeromq:pub-sub",
      "store:bounded",
      "store:unbounded",
      "store:one-address",
    ]);
    expect(offered).toContain("udp:broadcast");
    expect(offered.filter((name: string) => names(listed.missing).includes(name))).toEqual([]);
  });

  it.each([
    [["--workloads", "replicas"], /^bench: replicas cannot run here: .*clone the repository.*\n$/],
    [
      ["--workloads", "event-delivery", "--contenders", "zeromq:pub-sub"],
      /^bench: zeromq:pub-sub cannot run here: .*; run: npm install io-selectors zeromq\n$/,
    ],
  ])("refuses %j before anything starts", (what, sentence) => {
    const { stdout, stderr, status } = bench("bench", ...what, "--out", "never");
    expect(stderr).toMatch(sentence);
    expect(stdout).toBe("");
    expect(status).toBe(2);
    expect(existsSync(join(consumer, "never"))).toBe(false);
  });
});

function tenLines(): string {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const [, text = ""] = /^## The library in ten lines\n.*?^```ts\n(.*?)^```$/ms.exec(readme) ?? [];
  expect(text).toContain("io-selectors");
  return text;
}

async function echoes(program: string): Promise<void> {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  const exited = once(child, "exit").finally(() => running.delete(child));
  const [line] = await once(child.stdout, "data");
  const socket = connect(Number(/:(\d+)\s*$/.exec(String(line))?.[1]), "127.0.0.1");
  socket.write("hello");
  const [answer] = await once(socket, "data");
  expect(String(answer)).toBe("hello");
  socket.destroy();
  child.kill("SIGTERM");
  await exited;
}
