// Which test files need no server: those that reach no module that starts a process or a thread,
// through whatever they import.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What a file imports as a value: a type alone starts nothing. */
const IMPORT = /^(?:import|export)(?! type )[^;"]*?(?:from )?"([^"]+)";/gms;
const STARTS_SOMETHING =
  /^(node:(child_process|worker_threads|cluster|net|http|tls)|playwright-core)$/;

export function quickFiles(root: string): string[] {
  const library = join(root, "src"); // what it can do is not what its test does
  const known = new Map<string, boolean>();
  const starts = (file: string): boolean => {
    const found = known.get(file);
    if (found !== undefined) return found;
    known.set(file, false); // a circle starts what its other files start
    const names = [...readFileSync(file, "utf8").matchAll(IMPORT)].map(([, name = ""]) => name);
    const answer = names.some((name) => {
      if (!name.startsWith(".")) return STARTS_SOMETHING.test(name);
      const path = join(dirname(file), name);
      return !path.startsWith(library) && existsSync(path) && starts(path);
    });
    known.set(file, answer);
    return answer;
  };
  return readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("test", name))
    .filter((name) => !starts(join(root, name)));
}
