// A key-value store over TCP, a command per line: "get KEY", "set KEY VALUE", "delete KEY". Clients
// may send any number of commands at once. The server stops reading from a client that does not
// read its answers.
//
//   npm run build && node dist/examples/09-key-value-server.js 7000   # and: nc 127.0.0.1 7000

import { lines, serve } from "../src/index.ts";

const COMMAND = /^(get|set|delete) (\S+)(?: (.*))?$/;
const values = new Map<string, string>();

function answer(line: string): string {
  const [, verb, key = "", value] = COMMAND.exec(line) ?? [];
  if (verb === "get") return values.has(key) ? `value ${values.get(key)}` : "missing";
  if (verb === "delete") return values.delete(key) ? "ok" : "missing";
  if (verb !== "set" || value === undefined) return "error: get KEY, set KEY VALUE or delete KEY";
  values.set(key, value);
  return "ok";
}

const server = serve(
  { port: Number(process.argv[2] ?? 0), idleTimeoutMs: 600_000 },
  lines({
    longest: 64 * 1024,
    onLine(connection, line) {
      connection.write(`${answer(line)}\n`);
    },
    onRefused(connection, error) {
      connection.end(`error: ${error.message}\n`);
    },
  }),
);
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => server.close({ connections: "destroy" }));
}
console.log(`key-value store on port ${server.address?.port}`);
