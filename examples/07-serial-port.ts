// Asks a device on a serial line for its temperature, with a deadline per answer. Without a path it
// simulates a device: a pseudo-terminal, whose other end answers. termios(3), pty(7)
//
//   npm run build && node dist/examples/07-serial-port.js [/dev/ttyUSB0]

import { closeSync, constants, openSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import * as io from "../src/index.ts";

const ANSWER_WITHIN_MS = 2000;
const buffer = Buffer.alloc(256);
const selector = new io.DefaultSelector<(line: string) => void>();

/** Calls `take` per line: a serial line delivers bytes in pieces of any size. */
function onLines(fd: number, take: (line: string) => void): void {
  let begun = "";
  selector.register(fd, io.EVENT_READ, () => {
    const n = io.read(fd, buffer);
    if (n === -io.EAGAIN) return;
    if (n <= 0) throw new Error(`the line is dead: ${n === 0 ? "end" : getSystemErrorName(n)}`);
    const lines = (begun + buffer.toString("latin1", 0, n)).split("\n");
    begun = lines.pop() ?? "";
    for (const line of lines) take(line.trim());
  });
}

function say(fd: number, line: string): void {
  const n = io.write(fd, Buffer.from(`${line}\r\n`));
  if (n < 0) throw new Error(`write: ${getSystemErrorName(n)}`); // -EAGAIN: the device is busy
}

/** A thermometer at the other end. @returns its path. */
function plugIn(): string {
  const { controller, path } = io.openPty();
  onLines(controller, (line) => say(controller, line === "TEMP?" ? "21.5" : "ERROR"));
  return path;
}

const path = process.argv[2] ?? plugIn();
const port = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
const raw = io.enterRawMode(port, { baudRate: 115_200 }); // 8N1, no echo, bytes as they are
const answers: string[] = [];
onLines(port, (line) => answers.push(line));

for (const question of ["TEMP?", "HUMIDITY?"]) {
  say(port, question);
  const deadline = performance.now() + ANSWER_WITHIN_MS;
  while (answers.length === 0) {
    const ready = await selector.wait({ timeoutMs: deadline - performance.now() });
    if (ready.length === 0) throw new Error(`${path}: no answer to ${question}`);
    for (const { key } of ready) key.data?.("");
  }
  console.log(`${question} ${answers.shift()}`);
}
selector.close();
raw.restore();
closeSync(port);
