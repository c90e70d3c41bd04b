// Forwards the lines that programs write into FIFOs to FIFOs on other hosts. A broken connection is
// opened again, and a line is sent again until the other host has acknowledged it.
//
//   npm run build && node dist/examples/16-forward-fifos.js receive 127.0.0.1:7100 /tmp/inbox
//   node dist/examples/16-forward-fifos.js send /tmp/one@127.0.0.1:7100 …   # other terminal
//   cat /tmp/inbox/one                                 # a third one; then: echo hello > /tmp/one

import { setMaxListeners } from "node:events";
import { receiveLines } from "./forward-fifos/receiver.ts";
import { sendLines } from "./forward-fifos/sender.ts";

const USAGE = "usage: 16-forward-fifos.js send FIFO@HOST:PORT … | receive HOST:PORT FOLDER";

/** The host, port and FIFO of `FIFO@HOST:PORT`, or of `HOST:PORT`. */
function route(text: string): { fifo: string; host: string; port: number } {
  const [, fifo = "", host = "", port = ""] = /^(?:(.+)@)?([^@]+):(\d{1,5})$/.exec(text) ?? [];
  if (host === "") throw new Error(`"${text}" has no HOST:PORT; ${USAGE}`);
  return { fifo, host, port: Number(port) };
}

const stop = new AbortController();
setMaxListeners(0, stop.signal); // a listener per FIFO
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

const [role, ...words] = process.argv.slice(2);
const [first = "", folder] = words;
if (role === "receive" && folder !== undefined && words.length === 2) {
  await receiveLines({ ...route(first), folder }, stop.signal);
} else if (role === "send" && words.length > 0) {
  const routes = words.map(route);
  if (routes.some(({ fifo }) => fifo === "")) throw new Error(`a FIFO is missing; ${USAGE}`);
  const left = await Promise.all(routes.map((one) => sendLines(one, stop.signal)));
  if (left.some((lines) => lines > 0)) process.exitCode = 1;
} else {
  throw new Error(USAGE);
}
