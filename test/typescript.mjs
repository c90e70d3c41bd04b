// Lets Node run the TypeScript of test/, bench/ and src/ without a build, for programs that are not
// vitest tests: node --import ./test/typescript.mjs PROGRAM.ts. Types are removed, not checked:
// `npm run check` checks them.

import { readFileSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

// Node runs hooks in a thread of their own, which loads this file, too.
if (isMainThread) register(import.meta.url);

/** TypeScript's own transpileModule takes seven times as long to load: three seconds of CPU. */
let transform;

export async function load(url, context, nextLoad) {
  if (!new URL(url).pathname.endsWith(".ts")) return nextLoad(url, context);
  transform ??= (await import("rolldown/utils")).transformSync;
  const path = fileURLToPath(url);
  const { code, map, errors } = transform(path, readFileSync(path, "utf8"), {
    sourcemap: true,
    target: "es2022",
    typescript: { onlyRemoveTypeImports: true },
  });
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`);
  const data = Buffer.from(JSON.stringify(map)).toString("base64");
  const source = `${code}\n//# sourceMappingURL=data:application/json;base64,${data}\n`;
  return { format: "module", source, shortCircuit: true };
}
