// The TypeScript of the README and of the Reactor's page: each block is checked by the compiler, in
// a folder of this package, where "io-selectors" is the package itself; then it is run.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFifo } from "../src/index.ts";
import { compile } from "./type-checker.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const pages = ["README.md", "docs/reactor.md"].map((page) =>
  readFileSync(join(root, page), "utf8"),
);
const blocks = pages.flatMap((page) => [...page.matchAll(/^```ts\n(.*?)^```$/gms)]);
const running = new Set<ChildProcess>();
let folder: string;

beforeAll(() => {
  mkdirSync(join(root, "build"), { recursive: true });
  folder = mkdtempSync(join(root, "build", "readme-"));
  const options = { rootDir: ".", outDir: "out" };
  const config = { extends: "../../tsconfig.json", compilerOptions: options, include: ["*.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  for (const [i, [, text = ""]] of blocks.entries()) {
    writeFileSync(join(folder, `block-${i}.ts`), text.replaceAll("/tmp/a-fifo", fifo()));
  }
});
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

const fifo = () => join(folder, "a-fifo");

/** Starts the block that has this in it. @returns the process, and its lines. */
function start(mark: string) {
  const i = blocks.findIndex(([text]) => text.includes(mark));
  const file = join(folder, "out", `block-${i}.js`);
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  const exited = once(child, "exit").finally(() => running.delete(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, exited, nextLine: async () => String((await lines.next()).value) };
}

describe("the README", () => {
  it("is short: the rest is in docs/", () => {
    expect(pages[0]?.split("\n").length).toBeLessThanOrEqual(151);
  });
});

describe("the README's TypeScript", () => {
  it("compiles", () => {
    expect(blocks.length).toBeGreaterThan(1);
    expect(compile(folder)).toBe("");
  });

  it.each(["serve(", "listenTcp"])("echoes to several clients: %s", async (mark) => {
    const { child, exited, nextLine } = start(mark);
    const port = Number(/^echo on .*?(\d+)$/.exec(await nextLine())?.[1]);
    for (const words of ["first", "second"]) {
      const socket = connect(port, "127.0.0.1");
      socket.write(words);
      const [answer] = await once(socket, "data");
      expect(String(answer)).toBe(words);
      socket.end();
      await once(socket, "close");
    }
    child.kill("SIGTERM");
    expect(await exited).toEqual([null, "SIGTERM"]);
  });

  it("reads a FIFO to its end", async () => {
    makeFifo(fifo());
    const { exited, nextLine } = start("openFifo");
    await writeFile(fifo(), "hello"); // waits for the reader
    expect(await nextLine()).toBe("my fifo hello");
    expect(await exited).toEqual([0, null]);
  });
});
