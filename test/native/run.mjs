// The native code under sanitizers: node test/native/run.mjs [tests] [servers] [addon]
// AddressSanitizer with UndefinedBehaviorSanitizer and a leak check, then ThreadSanitizer: the C++
// tests; the echo servers under load; the addon in Node. Without a word: all three. CXX names
// another compiler than g++.

import { join } from "node:path";
import { addonProgram, obstacle, testAddon } from "./addon.mjs";
import { build, environment, probe, root, sourcesOf } from "./compile.mjs";
import { run } from "./processes.mjs";
import { exercise, strategiesOf } from "./servers.mjs";

const parts = ["tests", "servers", "addon"];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : parts;
const unknown = wanted.find((word) => !parts.includes(word));
if (unknown !== undefined) {
  console.error(`sanitize: unknown part "${unknown}"; one of: ${parts.join(" ")}`);
  process.exit(2);
}

const core = ["native/core", "native/backends", "native/net", "native/proactor"].flatMap((f) =>
  sourcesOf(f),
);
const tested = [
  ...core,
  ...sourcesOf("native/load_generator", { without: ["main.cc"] }),
  "native/addon/waker.cc",
  ...sourcesOf("test/native"),
];
const echoServer = { name: "echo-server", sources: [...core, ...sourcesOf("native/echo_server")] };
const loadGenerator = {
  name: "load-generator",
  sources: [...core, ...sourcesOf("native/load_generator")],
};

let failures = 0;

/** Prints a line for what was done, and whatever it found. */
function report(what, findings, figure, startedMs) {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const verdict = findings.length === 0 ? "clean" : "FOUND SOMETHING";
  console.log(`${what}: ${verdict}; ${figure} (${seconds} s)`);
  for (const finding of findings) console.log(finding.replace(/^/gm, "  "));
  if (findings.length > 0) ++failures;
}

async function runTests(sanitizer, prefix, program) {
  const started = performance.now();
  const { code, stdout, stderr } = await run([...prefix, program], {
    env: environment,
    timeoutMs: 120_000,
  });
  const figure = /\d+ passed, \d+ failed/.exec(stdout)?.[0] ?? "not run to its end";
  const missing = stdout.split("\n").filter((line) => line.includes(": not here ("));
  const findings = code === 0 ? [] : [`exit ${code}\n${stdout}${stderr}`];
  report(`${sanitizer}: C++ tests`, findings, [figure, ...missing].join("; "), started);
}

/** @returns {Promise<number>} the most threads that the server had */
async function runServer(sanitizer, [server, generator], strategy) {
  const started = performance.now();
  const { findings, messages, threads } = await exercise(server, generator, strategy);
  report(`${sanitizer}: echo-server ${strategy}`, findings, `${messages} messages`, started);
  return threads;
}

async function runAddon(program) {
  const started = performance.now();
  const { code, summary, output } = await testAddon(program);
  report("address: addon in Node", code === 0 ? [] : [`exit ${code}\n${output}`], summary, started);
}

async function buildLibrary() {
  const command = [process.execPath, join(root, "build.mjs"), "build"];
  const { code, stderr } = await run(command, { env: process.env, cwd: root, timeoutMs: 600_000 });
  if (code !== 0) throw new Error(`npm run build: exit ${code}\n${stderr}`);
}

async function main() {
  const prefixes = { address: probe("address"), thread: probe("thread") };
  const programs = [];
  if (wanted.includes("tests")) {
    for (const sanitizer of ["address", "thread"]) {
      programs.push({ sanitizer, name: "native-tests", sources: tested });
    }
  }
  if (wanted.includes("servers")) {
    programs.push(
      { sanitizer: "address", ...echoServer },
      { sanitizer: "address", ...loadGenerator },
    );
    programs.push({ sanitizer: "thread", ...echoServer });
  }
  // The addon's tests need what the library is made of, and vitest.
  if (wanted.includes("addon")) await buildLibrary();
  const why = wanted.includes("addon") ? obstacle() : undefined;
  if (wanted.includes("addon") && why === undefined) programs.push(addonProgram(core));
  const started = performance.now();
  const paths = await build(programs);
  console.error(`sanitize: built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const find = (sanitizer, name) => {
    const at = programs.findIndex((one) => one.sanitizer === sanitizer && one.name === name);
    return [...prefixes[sanitizer], paths[at]];
  };

  if (wanted.includes("tests")) {
    for (const sanitizer of ["address", "thread"]) {
      await runTests(sanitizer, prefixes[sanitizer], find(sanitizer, "native-tests").at(-1));
    }
  }
  if (wanted.includes("servers")) {
    const generator = find("address", "load-generator");
    const [underAddress, underThread] = ["address", "thread"].map((s) => find(s, "echo-server"));
    const threaded = [];
    for (const strategy of await strategiesOf(underAddress)) {
      const threads = await runServer("address", [underAddress, generator], strategy);
      if (threads > 1) threaded.push(strategy);
    }
    // A server with one thread has no races.
    for (const strategy of threaded) await runServer("thread", [underThread, generator], strategy);
  }
  if (why !== undefined) console.log(`address: addon in Node: not run (${why})`);
  else if (wanted.includes("addon")) await runAddon(find("address", "io_selectors.node").at(-1));
}

try {
  await main();
} catch (error) {
  console.error(`sanitize: not run: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
console.log(failures === 0 ? "sanitize: clean" : `sanitize: ${failures} found something`);
process.exit(failures === 0 ? 0 : 1);
