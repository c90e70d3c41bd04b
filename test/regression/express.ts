// The gate on an Express server, as its users run it: makes a repository whose commits add a
// header, add 5 % CPU, and break an answer, and asks `io-selectors regression` about each.
//
//   npm run build && node --import ./test/typescript.mjs test/regression/express.ts
//
// Installs Express from npm. Prints a line per commit; exit code 0 if each verdict is as expected.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GateResult } from "../../bench/gate/result.ts";
import { changeText } from "../../bench/gate/words.ts";
import { packagePaths } from "../../bench/paths.ts";
import { exitOnSignals } from "../programs/exit-on-signals.ts";
import { nanosecondsMore } from "./planted-tree.ts";

const cli = join(packagePaths().root, "bin", "io-selectors.js");
const folder = mkdtempSync(join(tmpdir(), "io-selectors-express-"));
exitOnSignals();
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const git = (...words: readonly string[]) =>
  execFileSync("git", ["-C", folder, ...words], { encoding: "utf8" });

function writeServer(answer: string, more = ""): void {
  const lines = [
    `import express from "express";`,
    `const app = express();`,
    `app.get("/users/:id", (request, response) => { ${answer} });`,
    `app.listen(Number(process.argv[2]), "127.0.0.1");`,
    more,
  ];
  writeFileSync(join(folder, "server.mjs"), lines.join("\n"));
}

const json = `response.json({ id: request.params.id });`;

git("init", "--quiet", "--initial-branch", "main");
git("config", "user.email", "test@example.org");
git("config", "user.name", "test");
writeFileSync(join(folder, "package.json"), `{ "private": true, "type": "module" }\n`);
writeFileSync(join(folder, ".gitignore"), "node_modules\n");
const options = {
  base: "main",
  build: "npm ci --no-audit --no-fund",
  command: "node server.mjs {port}",
  protocol: "http",
  path: "/users/7",
  "expect-body": `{"id":"7"}`,
};
writeFileSync(join(folder, "io-selectors.json"), JSON.stringify(options));
execFileSync("npm", ["install", "--no-audit", "--no-fund", "express@5"], {
  cwd: folder,
  stdio: ["ignore", "ignore", "inherit"],
});
writeServer(json);
git("add", ".");
git("commit", "--quiet", "--message", "an Express server");

interface Verdict {
  readonly result: GateResult;
  readonly status: number | null;
}

/** Commits the server as it is now to a branch of that name, and compares it with `main`. */
function ask(name: string, write: () => void): Verdict {
  git("switch", "--quiet", "--create", name, "main");
  write();
  git("commit", "--quiet", "--all", "--message", name);
  const started = performance.now();
  const { status, stdout } = spawnSync(process.execPath, [cli, "regression", "--json"], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (stdout === "") throw new Error(`"${name}" was not compared (exit code ${status})`);
  const result = JSON.parse(stdout) as GateResult;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(`${name}: ${result.outcome}, exit code ${status}, ${seconds} s\n`);
  for (const { metric, gates, verdict, reason, first } of result.cells) {
    if (!gates) continue;
    const why = [
      ...(first === null ? [] : [changeText(first)]),
      ...(reason === null ? [] : [reason]),
    ];
    process.stdout.write(`  ${metric}: ${[verdict, ...why].join("; ")}\n`);
  }
  return { result, status };
}

const header = ask("header", () => {
  writeServer(`response.set("x-added", "yes"); ${json}`);
});
const cost = header.result.cells.find(({ metric }) => metric === "serverCpuPerMessage")?.base;
if (cost == null) throw new Error("the cost of a request was not measured");
const planted = nanosecondsMore(0.05 * 1000 * cost);
process.stdout.write(`a request costs ${cost.toFixed(1)} µs; 5 % of it are planted\n`);
const costly = ask("costly", () => {
  writeServer(`${planted.call} ${json}`, planted.definition);
});
const broken = ask("broken", () => {
  writeServer(`response.json({ id: "8" });`);
});
process.exitCode = header.status === 0 && costly.status === 1 && broken.status === 1 ? 0 : 1;
