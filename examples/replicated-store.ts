// A key-value store with one write server and several read servers, each a process, behind a queue.
// Clients choose the address by the kind of request, or use the one that takes both.
//
//   npm run build && node dist/examples/replicated-store.js serve /tmp/store --readers 3
//   # serve prints its addresses: for put that of writes, for get of reads, for watch of changes
//   node dist/examples/replicated-store.js put tcp://127.0.0.1:PORT colour blue
//   node dist/examples/replicated-store.js get tcp://127.0.0.1:PORT colour
//   node dist/examples/replicated-store.js watch tcp://127.0.0.1:PORT col

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Changes } from "./replicated-store/changes.ts";
import { StoreClient } from "./replicated-store/client.ts";
import type { Question } from "./replicated-store/protocol.ts";
import type { Notice } from "./replicated-store/reader.ts";
import { runStore } from "./replicated-store/supervisor.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    readers: { type: "string", default: "2" },
    "idle-ms": { type: "string", default: "5" },
    /** With `never`, a reader that is never idle keeps its old store. */
    "stale-ms": { type: "string", default: "1000" },
    reads: { type: "string", default: "tcp://127.0.0.1:*" },
    writes: { type: "string", default: "tcp://127.0.0.1:*" },
    both: { type: "string", default: "tcp://127.0.0.1:*" },
    changes: { type: "string", default: "tcp://127.0.0.1:*" },
    /** `stamps` for a network folder: inotify(7) does not report changes of other hosts. */
    notice: { type: "string", default: "inotify" },
    "look-ms": { type: "string", default: "1000" },
  },
});

const [command, place = "", key = "", value = ""] = positionals;
if (command === "serve" && place !== "") await serve(place);
else if (command === "get") await ask({ op: "get", key });
else if (command === "put") await ask({ op: "put", key, value });
else if (command === "delete") await ask({ op: "delete", key });
else if (command === "watch" && place !== "") await watch(place, key);
else {
  throw new Error(
    "usage: replicated-store.js serve FOLDER | get|put|delete ADDRESS KEY [VALUE] | " +
      "watch ADDRESS [PREFIX]",
  );
}

async function serve(folder: string): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  mkdirSync(folder, { recursive: true });
  const bound = options["stale-ms"];
  const settings = {
    file: join(folder, "store.json"),
    readers: Number(options.readers),
    idleMs: Number(options["idle-ms"]),
    staleMs: bound === "never" ? null : Number(bound),
    reads: options.reads,
    writes: options.writes,
    both: options.both,
    changes: options.changes,
    notice: noticeOf(options.notice),
    lookMs: Number(options["look-ms"]),
  };
  await runStore(settings, stop.signal);
}

function noticeOf(word: string): Notice {
  if (word === "inotify" || word === "stamps") return word;
  throw new Error(`--notice ${word}: is neither inotify nor stamps`);
}

/** Prints each change of a key with the prefix, until Ctrl-C. */
async function watch(address: string, prefix: string): Promise<void> {
  const changes = new Changes(address, prefix);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => changes.close());
  for await (const change of changes) console.log(JSON.stringify(change));
}

async function ask(question: Question): Promise<void> {
  const answer = await new StoreClient({ reads: place, writes: place }).ask(question);
  console.log(JSON.stringify(answer));
  if (answer.error === undefined) return;
  console.error(`${question.op} ${question.key} at ${place}: ${answer.error}`);
  process.exitCode = 1;
}
