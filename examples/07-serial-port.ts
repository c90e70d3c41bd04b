// Asks a device on a serial line for its temperature, with a deadline for each answer. Without a
// device it makes one: a pseudo-terminal, whose other end is the device. Enters: the path of a
// serial port, or nothing. Leaves: what the device said. termios(3), pty(7)
//
//   npm run build && node dist/examples/07-serial-port.js [/dev/ttyUSB0]

import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { DefaultSelector, EAGAIN, EVENT_READ, openPty, read, write } from "../src/index.ts";

const ANSWER_WITHIN_MS = 2000;
const buffer = Buffer.alloc(256);
const selector = new DefaultSelector<(line: string) => void>();

/** Bytes as they come, in lines: a serial line knows no messages. */
function onLines(fd: number, take: (line: string) => void): void {
  let begun = "";
  selector.register(fd, EVENT_READ, () => {
    const n = read(fd, buffer);
    if (n === -EAGAIN) return;
    if (n <= 0) throw new Error(`the line is dead: ${n === 0 ? "end" : getSystemErrorName(n)}`);
    const lines = (begun + buffer.toString("latin1", 0, n)).split("\n");
    begun = lines.pop() ?? "";
    for (const line of lines) take(line.trim());
  });
}

function say(fd: number, line: string): void {
  const n = write(fd, Buffer.from(`${line}\r\n`));
  if (n < 0) throw new Error(`write: ${getSystemErrorName(n)}`); // -EAGAIN: it does not listen
}

/** A thermometer at the other end. @returns where it is. */
function plugIn(): string {
  const { controller, path } = openPty();
  onLines(controller, (line) => say(controller, line === "TEMP?" ? "21.5" : "ERROR"));
  return path;
}

const path = process.argv[2] ?? plugIn();
const port = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
// As the cable has it: no echo, no lines of its own; Node cannot say so itself.
execFileSync("stty", ["raw", "-echo", "115200"], { stdio: [port, "inherit", "inherit"] });
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
closeSync(port);
