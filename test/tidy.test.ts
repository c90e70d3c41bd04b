// The house rules as a test: who may use whom, as data, and the bounds of docs and style that no
// formatter holds.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * First match wins. A file may use its own folder and what stands here; `<…>` are headers of the
 * system.
 */
const rooms: readonly { readonly room: string; readonly mayUse: readonly string[] }[] = [
  { room: "native/core/", mayUse: [] },
  { room: "native/backends/", mayUse: ["native/core/"] },
  { room: "native/net/", mayUse: ["native/core/"] },
  { room: "native/proactor/", mayUse: ["native/core/", "native/backends/", "native/net/"] },
  {
    room: "native/echo_server/",
    mayUse: ["native/core/", "native/backends/", "native/net/", "native/proactor/"],
  },
  { room: "native/load_generator/", mayUse: ["native/core/", "native/backends/", "native/net/"] },
  { room: "native/micro/", mayUse: ["native/core/", "native/backends/", "native/net/"] },
  { room: "native/planted_call/", mayUse: [] },
  {
    room: "native/addon/",
    mayUse: ["native/core/", "native/backends/", "native/net/", "native/proactor/"],
  },
  { room: "src/", mayUse: [] },
  { room: "bench/model/", mayUse: [] },
  { room: "bench/statistics/", mayUse: ["bench/model/"] },
  { room: "bench/contenders/", mayUse: ["src/index.ts", "bench/model/", "bench/paths.ts"] },
  { room: "bench/host/", mayUse: ["bench/model/", "bench/paths.ts"] },
  {
    room: "bench/agents/",
    mayUse: [
      "bench/command-line.ts",
      "bench/host/",
      "bench/model/",
      "bench/paths.ts",
      "bench/statistics/",
    ],
  },
  {
    room: "bench/report/html/scripts.ts",
    mayUse: ["bench/paths.ts"],
  },
  { room: "bench/report/", mayUse: ["bench/model/", "bench/statistics/"] },
  {
    room: "bench/web/",
    mayUse: [
      "bench/model/",
      "bench/report/format.ts",
      "bench/report/markup.ts",
      "bench/report/svg/",
    ],
  },
  { room: "bench/advice/", mayUse: ["bench/model/", "bench/report/", "bench/statistics/"] },
  {
    room: "bench/run/",
    mayUse: [
      "bench/command-line.ts",
      "bench/contenders/catalogue.ts",
      "bench/contenders/families.ts",
      "bench/contenders/peers.ts",
      "bench/contenders/settings.ts",
      "bench/host/",
      "bench/model/",
      "bench/paths.ts",
      "bench/statistics/",
    ],
  },
  {
    room: "bench/delivery/",
    mayUse: [
      "src/index.ts",
      "bench/contenders/missing.ts",
      "bench/host/",
      "bench/model/",
      "bench/paths.ts",
      "bench/run/delivery-round.ts",
      "bench/statistics/",
    ],
  },
  {
    room: "bench/live/",
    mayUse: ["bench/host/", "bench/model/", "bench/report/", "bench/run/", "bench/statistics/"],
  },
  {
    room: "bench/gate/",
    mayUse: [
      "bench/command-line.ts",
      "bench/contenders/catalogue.ts",
      "bench/contenders/foreign.ts",
      "bench/host/",
      "bench/model/",
      "bench/paths.ts",
      "bench/report/",
      "bench/run/",
      "bench/statistics/",
    ],
  },
  {
    room: "bench/micro/",
    mayUse: [
      "src/index.ts",
      "bench/command-line.ts",
      "bench/contenders/open-selector.ts",
      "bench/host/",
      "bench/paths.ts",
      "bench/report/",
      "bench/statistics/",
    ],
  },
  { room: "bench/commands/", mayUse: ["src/index.ts", "bench/"] },
  {
    room: "bench/cli.ts",
    mayUse: ["bench/command-line.ts", "bench/commands/", "bench/host/output.ts", "bench/paths.ts"],
  },
  { room: "bench/command-line.ts", mayUse: [] },
  { room: "bench/paths.ts", mayUse: [] },
  { room: "examples/", mayUse: ["src/index.ts"] },
];

/** What only these files may touch. */
const doors: readonly { readonly what: RegExp; readonly only: RegExp }[] = [
  { what: /#include [<"]napi\.h[>"]|#include <node_api\.h>/, only: /^native\/addon\// },
  { what: /io_selectors\.node/, only: /^(src\/native\.ts|bench\/host\/environment\.ts)$/ },
  {
    what: /from "node:child_process"/,
    only: /^(bench\/(host|contenders)|examples)\//,
  },
  {
    what: /["'`]\/proc\//,
    only: /^(bench\/(host|contenders)|examples|native)\//,
  },
  {
    what: /\bprocess\.exit\(/,
    only: /^bench\/(cli|host\/interrupt|contenders\/(serve|announce))\.ts$/,
  },
];

/** Rooms of pure functions: no clock, no I/O. bench/report/write.ts writes, scripts.ts reads. */
const pure = /^bench\/(model|statistics|report|web)\/(?!write\.ts|html\/scripts\.ts)/;
const impure =
  /from "node:(fs|child_process|net|os)|\bDate\.now\(|\bperformance\.now\(|new Date\(\)/;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly uses: readonly string[];
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(path);
    return /\.(ts|cc|h|mjs)$/.test(entry.name) ? [path] : [];
  });
}

function read(path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const local = path.startsWith("native/")
    ? [...text.matchAll(/^#include "([^"]+)"/gm)].map((match) => `native/${match[1]}`)
    : [...text.matchAll(/\bfrom "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g)].map((match) =>
        relative(root, join(root, dirname(path), match[1] ?? match[2] ?? "")),
      );
  return { path, text, uses: local };
}

const sources = ["native", "src", "bench", "examples"].flatMap(filesBelow).map(read);
const everything = [...sources, ...filesBelow("test").map(read)];

describe("the house", () => {
  it("has a rule for every file", () => {
    const homeless = sources.filter(({ path }) => !rooms.some(({ room }) => path.startsWith(room)));
    expect(homeless.map(({ path }) => path)).toEqual([]);
    expect(sources.length).toBeGreaterThan(50);
  });

  it("is used only along its arrows", () => {
    const wrong = sources.flatMap(({ path, uses }) => {
      const rule = rooms.find(({ room }) => path.startsWith(room));
      const allowed = [rule?.room ?? "", ...(rule?.mayUse ?? [])];
      return uses
        .filter((used) => !allowed.some((prefix) => used.startsWith(prefix)))
        .map((used) => `${path} uses ${used}`);
    });
    expect(wrong).toEqual([]);
  });

  it("keeps backends apart from one another", () => {
    const wrong = sources
      .filter(({ path }) => /^native\/backends\/(?!backends\.)/.test(path))
      .flatMap(({ path, uses }) =>
        uses
          .filter(
            (used) => used.startsWith("native/backends/") && used !== "native/backends/backends.h",
          )
          .map((used) => `${path} uses ${used}`),
      );
    expect(wrong).toEqual([]);
  });

  it("has no circles", () => {
    const uses = new Map(sources.map((source) => [source.path, source.uses]));
    const done = new Set<string>();
    const visit = (path: string, way: readonly string[]): string[] => {
      if (way.includes(path)) return [[...way.slice(way.indexOf(path)), path].join(" → ")];
      if (done.has(path)) return [];
      const circles = (uses.get(path) ?? []).flatMap((next) => visit(next, [...way, path]));
      done.add(path);
      return circles;
    };
    expect(sources.flatMap(({ path }) => visit(path, []))).toEqual([]);
  });

  it("has commands that do not use one another", () => {
    const isCommand = new Set(
      sources
        .filter(({ text }) => /^export const \w+Command: Command/m.test(text))
        .map((s) => s.path),
    );
    expect(isCommand.size).toBeGreaterThan(5);
    const wrong = sources
      .filter(({ path }) => path !== "bench/cli.ts")
      .flatMap(({ path, uses }) =>
        uses.filter((used) => isCommand.has(used)).map((used) => `${path} uses ${used}`),
      );
    expect(wrong).toEqual([]);
  });

  it("has one meaning for the name of a type", () => {
    const places = new Map<string, string[]>();
    for (const { path, text } of sources.filter((source) => source.path.startsWith("bench/"))) {
      for (const [, name = ""] of text.matchAll(
        /^(?:export )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm,
      )) {
        places.set(name, [...(places.get(name) ?? []), path]);
      }
    }
    const twice = [...places].filter(([, paths]) => paths.length > 1);
    expect(twice).toEqual([]);
    expect(places.size).toBeGreaterThan(200);
  });

  it("opens its doors in one place each", () => {
    const wrong = sources.flatMap(({ path, text }) =>
      doors
        .filter(({ what, only }) => what.test(text) && !only.test(path))
        .map(({ what }) => `${path} has ${what}`),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps statistics and reports free of clocks and I/O", () => {
    const wrong = sources.filter(({ path, text }) => pure.test(path) && impure.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it("is not used by anything but tests where it is a test", () => {
    const wrong = sources.filter(({ uses }) => uses.some((used) => used.startsWith("test/")));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

/** A regular expression that looks for words with a space between them. */
const overProse =
  /[=(,:[?|&] *\/(?![*/])(?=[^/\n]*[a-z]{3} [a-z]{3})(?:\\.|[^/\\\n])+\/[dgimsuvy]*[.,;)\s]/;
/**
 * Results of version 1 had no codes; a machine's own words have none; and help names the command
 * line that the reader has.
 */
const readsProse = /^bench\/(model\/version-1|host\/hardware|paths)\.ts$/;

describe("style", () => {
  it("passes facts on as data, never as prose that is parsed again", () => {
    const wrong = sources.flatMap(({ path, text }) =>
      text
        .split("\n")
        .filter((line) => path.startsWith("bench/") && !/^\s*(\/\/|\*|\/\*)/.test(line))
        .filter((line) => overProse.test(line) && !readsProse.test(path))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(wrong).toEqual([]);
    expect(overProse.test("if (/was not ready/.test(reason)) return;")).toBe(true);
  });

  it("has files of at most 400 lines and lines of at most 100 columns", () => {
    const wrong = everything.flatMap(({ path, text }) => {
      const lines = text.split("\n");
      const long = lines
        .map((line, i) => ({ line, at: `${path}:${i + 1}` }))
        .filter(({ line }) => [...line].length > 100 && !/https?:\/\//.test(line))
        .map(({ at }) => `${at} is longer than 100 columns`);
      const tooMany = lines.length > 400 && !path.startsWith("test/");
      return tooMany ? [`${path} has ${lines.length} lines`, ...long] : long;
    });
    expect(wrong).toEqual([]);
  });

  it("starts every file with what it is", () => {
    // A .cc file beside a header of its own is described there.
    const described = new Set(sources.map(({ path }) => path));
    const headless = everything.filter(
      ({ path, text }) =>
        !text.startsWith("// ") &&
        !(path.endsWith(".cc") && described.has(path.replace(/\.cc$/, ".h"))),
    );
    expect(headless.map(({ path }) => path)).toEqual([]);
  });

  it("has no work left over", () => {
    const marks = new RegExp(["TO", "DO|FIX", "ME|XX", "X"].join(""));
    const wrong = everything.filter(({ text }) => marks.test(text));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});
