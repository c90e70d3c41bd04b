// Terminates workers in the middle of their calls: terminate-workers.mjs KIND[,KIND…] COUNT. A
// program of its own, because a failure aborts the process. Prints the terminations survived.

import { Worker } from "node:worker_threads";

const library = new URL("../../dist/src/index.js", import.meta.url).href;

/** What a worker repeats until its end; `io` is the library. */
const calls = {
  selectors: "new io.DefaultSelector().close()",
  backends: "io.availableBackends()",
  pipe: "io.pipe().forEach(io.close)",
  pair: "io.socketPair().forEach(io.close)",
  pty: "{ const pty = io.openPty(); io.close(pty.controller); io.close(pty.terminal); }",
  address: "io.localAddress(fd).toString()",
  listen: "io.close(io.listenTcp())",
  dup: "io.close(io.dup(fd))",
  throws: 'try { io.connectUnix({ path: "/nowhere" }); } catch {}',
  raw: "io.send(a, buffer); io.recv(b, buffer)",
  register:
    "selector.register(a, 1); selector.modify(a, 2); selector.poll(0); selector.unregister(a)",
  wait: "selector.wait({ timeoutMs: 1 })",
  wakers: "selector.waker().wake()",
};

const prelude =
  "const selector = new io.DefaultSelector(); const [a, b] = io.socketPair(); " +
  "const fd = io.listenTcp(); const buffer = new Uint8Array(64);";

function bodyOf(kind) {
  const load = `import(${JSON.stringify(library)})`;
  if (kind === "load") return load;
  const loop =
    kind === "run"
      ? "new io.Reactor(selector).run(); for (;;) await new Promise(setImmediate);"
      : `for (;;) { for (let i = 0; i < 64; i++) { ${calls[kind]}; } await null; }`;
  const ready = 'require("node:worker_threads").parentPort.postMessage("ready");';
  return `${load}.then(async (io) => { ${prelude} ${ready} ${loop} })`;
}

const [list = "load", count = "100"] = process.argv.slice(2);
const kinds = list.split(",");
const unknown = kinds.find((kind) => kind !== "load" && kind !== "run" && !(kind in calls));
if (unknown !== undefined) throw new Error(`no kind ${unknown}`);
let ended = 0;
for (; ended < Number(count); ended++) {
  const kind = kinds[ended % kinds.length];
  const worker = new Worker(bodyOf(kind), { eval: true });
  await new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once(kind === "load" ? "online" : "message", resolve);
  });
  // Each kind at six moments in turn, over the load or the calls; a timer is too coarse.
  const until = performance.now() + (((ended / kinds.length) % 6) / 6) * (kind === "load" ? 30 : 3);
  while (performance.now() < until);
  await worker.terminate();
}
console.log(ended);
process.exit();
