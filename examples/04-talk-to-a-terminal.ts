// Runs a command in a pseudo-terminal, so that it behaves as if a person used it, and prints its
// output. pty(7)
//
//   npm run build && node dist/examples/04-talk-to-a-terminal.js ls --color=auto /

import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { close, DefaultSelector, EAGAIN, EVENT_READ, openPty, read } from "../src/index.ts";

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error("usage: 04-talk-to-a-terminal.js COMMAND [ARGUMENT …]");

const { controller, terminal } = openPty();
const child = spawn(command, args, { stdio: [terminal, terminal, terminal] });
const exited = once(child, "exit"); // rejects if the command cannot be started
const refused = close(terminal); // only the child has it open now, so its end is noticed
if (refused < 0) throw new Error(`close: ${getSystemErrorName(refused)}`);

const selector = new DefaultSelector();
selector.register(controller, EVENT_READ);
const buffer = new Uint8Array(4096);
for await (const ready of selector) {
  if (ready.length === 0) continue;
  const n = read(controller, buffer);
  if (n > 0) process.stdout.write(buffer.slice(0, n));
  // The last process has closed the terminal: EIO on Linux, the end of the file on the BSDs.
  else if (n === 0 || n === -constants.errno.EIO) selector.close();
  else if (n !== -EAGAIN) throw new Error(`read: ${getSystemErrorName(n)}`);
}

const closed = close(controller);
if (closed < 0) throw new Error(`close: ${getSystemErrorName(closed)}`);
const [code, signal] = await exited;
process.exitCode = code ?? 128 + constants.signals[signal as NodeJS.Signals];
