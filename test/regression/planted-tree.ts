// A built tree with a fault planted in its TypeScript reactor, equal to what a patch with that cost
// would compile to.

import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What the reactor does once more before each handler, as JavaScript. */
export interface Fault {
  readonly definition: string;
  readonly call: string;
}

/** One system call more: the getter asks the kernel. */
export const oneCallMore: Fault = { definition: "", call: "void process.ppid;" };

/** So many nanoseconds of arithmetic that depends on itself. */
export function nanosecondsMore(nanoseconds: number): Fault {
  const rounds = Math.max(1, Math.round(nanoseconds / nanosecondsPerRound()));
  return {
    definition:
      "let planted = 1; function plantedWork() { let x = planted; " +
      `for (let i = 0; i < ${rounds}; i++) x = Math.imul(x ^ i, 0x9e3779b1); planted = x; }\n`,
    call: "plantedWork();",
  };
}

/** Where the reactor calls a handler, compiled. */
const anchor = /handler\.onReadable\(fd[^;]*\);/;

/** @throws {Error} where the reactor is not what it was when this was written. */
export function plant(root: string, fault: Fault): string {
  const tree = mkdtempSync(join(tmpdir(), "io-selectors-planted-"));
  cpSync(join(root, "package.json"), join(tree, "package.json"));
  cpSync(join(root, "dist"), join(tree, "dist"), { recursive: true });
  for (const name of ["binding.gyp", "build", "node_modules"]) {
    symlinkSync(join(root, name), join(tree, name));
  }
  const library = join(tree, "dist", "src", "index.js");
  const text = readFileSync(library, "utf8");
  if (!anchor.test(text)) throw new Error("nowhere in dist/src/index.js to plant a fault");
  const planted = text.replace(anchor, (call) => `{ ${fault.call} ${call} }`);
  writeFileSync(library, `${planted}\n${fault.definition}`);
  return tree;
}

/** On this machine, now. */
function nanosecondsPerRound(): number {
  const rounds = 5_000_000;
  const times = Array.from({ length: 9 }, (_, turn) => {
    const started = process.hrtime.bigint();
    let x = turn + 1;
    for (let i = 0; i < rounds; i++) x = Math.imul(x ^ i, 0x9e3779b1);
    const ended = process.hrtime.bigint();
    return x === 0 ? Number.POSITIVE_INFINITY : Number(ended - started) / rounds;
  });
  return Math.min(...times);
}
