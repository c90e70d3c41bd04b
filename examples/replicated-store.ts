// A key-value store with one write server and several read servers, each a process, behind a queue:
// clients choose the address by what they ask. Enters: a folder, or a question. Leaves: a service,
// until Ctrl-C, or an answer.
//
//   npm run build && node dist/examples/replicated-store.js serve /tmp/store --readers 3
//   node dist/examples/replicated-store.js put tcp://127.0.0.1:PORT colour blue     # of writes
//   node dist/examples/replicated-store.js get tcp://127.0.0.1:PORT colour          # of reads

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { StoreClient } from "./replicated-store/client.ts";
import type { Question } from "./replicated-store/protocol.ts";
import { runStore } from "./replicated-store/supervisor.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    readers: { type: "string", default: "2" },
    "idle-ms": { type: "string", default: "5" },
    /** `never` lets a reader that is never idle starve. */
    "stale-ms": { type: "string", default: "1000" },
    reads: { type: "string", default: "tcp://127.0.0.1:*" },
    writes: { type: "string", default: "tcp://127.0.0.1:*" },
  },
});

const [command, place = "", key = "", value = ""] = positionals;
if (command === "serve" && place !== "") await serve(place);
else if (command === "get") await ask({ op: "get", key });
else if (command === "put") await ask({ op: "put", key, value });
else if (command === "delete") await ask({ op: "delete", key });
else
  throw new Error("usage: replicated-store.js serve FOLDER | get|put|delete ADDRESS KEY [VALUE]");

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
  };
  await runStore(settings, stop.signal);
}

async function ask(question: Question): Promise<void> {
  const answer = await new StoreClient({ reads: place, writes: place }).ask(question);
  console.log(JSON.stringify(answer));
}
