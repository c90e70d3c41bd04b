// A chat client: what you type goes to all, what the others say is printed. One selector watches
// the keyboard and the socket, on a terminal or in a pipe. Enters: lines, and the commands below.
// Leaves: lines on standard output, until Ctrl-C or the end of the input. poll(2)
//
//   npm run build && node dist/examples/chat-client.js 127.0.0.1:7000 ada
//   /join tea · /leave tea · /members tea · /to tea shall we? · anything else goes to everybody

import { getSystemErrorName } from "node:util";
import * as io from "../src/index.ts";
import { LineReader } from "./chat/line-reader.ts";
import { Outbox } from "./chat/outbox.ts";

const LONGEST_LINE_BYTES = 64 * 1024;
const STDIN = 0;

const [address = "", user] = process.argv.slice(2);
const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
if (host === undefined || user === undefined)
  throw new Error("usage: chat-client.js HOST:PORT USER");

const encoder = new TextEncoder();
const buffer = new Uint8Array(16 * 1024);
const outbox = new Outbox(Number.POSITIVE_INFINITY); // no more is read while something waits
const socket = io.connectTcp({ host, port: Number(port) });
// Not epoll, which refuses a file or /dev/null as standard input; of two, poll is as good.
const selector = new io.PollSelector<(events: number) => void>();
const typed = new LineReader(LONGEST_LINE_BYTES);
const heard = new LineReader(LONGEST_LINE_BYTES);
const interactive = process.stdin.isTTY === true;
let inputEnded = false;

process.stdout.on("error", () => selector.close()); // nobody reads on
process.once("SIGINT", () => selector.close());
process.once("SIGTERM", () => selector.close());
selector.register(socket, io.EVENT_WRITE, connected);
for await (const ready of selector) {
  for (const { key, events } of ready) if (!selector.closed) key.data?.(events);
}
io.close(socket);

function connected(): void {
  const refused = io.socketError(socket);
  if (refused !== 0) {
    leave(`${address}: ${getSystemErrorName(-refused)}`);
    return;
  }
  if (interactive) print(`connected to ${address} as ${user}`);
  selector.modify(socket, io.EVENT_READ, onSocket);
  selector.register(STDIN, io.EVENT_READ, onTyped);
}

function onSocket(events: number): void {
  if ((events & io.EVENT_READ) !== 0) listen();
  if ((events & io.EVENT_WRITE) !== 0 && !selector.closed) speak();
}

/** A terminal's stays blocking, as others share it: read only when it is ready, it does not. */
function onTyped(): void {
  const n = io.read(STDIN, buffer);
  if (n === -io.EAGAIN) return;
  inputEnded = n <= 0;
  for (const line of n > 0 ? typed.feed(buffer.subarray(0, n)) : typed.finish()) {
    if ("text" in line) outbox.push(encoder.encode(`${JSON.stringify(requestOf(line.text))}\n`));
    else print(`! ${line.problem}`);
  }
  speak();
}

function requestOf(line: string): object {
  const [, command, group = "", text = ""] =
    /^\/(join|leave|members|to) (\S+)(?: (.*))?$/.exec(line) ?? [];
  if (command === "members") return { members: group };
  if (command === "to") return { user, to: group, text };
  return command === undefined ? { user, text: line } : { user, [command]: group };
}

/** Sends what waits; what the socket does not take now, write readiness brings. */
function speak(): void {
  const refused = outbox.flush(socket);
  if (refused < 0) {
    leave(`the connection was lost: ${getSystemErrorName(refused)}`);
    return;
  }
  const waiting = outbox.bytes > 0;
  selector.modify(socket, waiting ? io.EVENT_READ | io.EVENT_WRITE : io.EVENT_READ, onSocket);
  const typing = selector.getMap()?.has(STDIN) === true;
  if (typing && (waiting || inputEnded)) selector.unregister(STDIN);
  else if (!typing && !waiting && !inputEnded) selector.register(STDIN, io.EVENT_READ, onTyped);
  if (inputEnded && !waiting) io.shutdown(socket, "write"); // what is under way comes yet
}

function listen(): void {
  const n = io.recv(socket, buffer);
  if (n === -io.EAGAIN) return;
  for (const line of n > 0 ? heard.feed(buffer.subarray(0, n)) : heard.finish()) {
    const text = "text" in line ? show(line.text) : `! ${line.problem}`;
    if (text !== null) print(text);
  }
  if (n === 0) leave(inputEnded ? null : "the server has closed the connection");
  else if (n < 0) leave(`the connection was lost: ${getSystemErrorName(n)}`);
}

/** A line of the server for a person; null for what that person has just typed. */
function show(line: string): string | null {
  const said = JSON.parse(line);
  if (said.text !== undefined) {
    if (interactive && said.user === user) return null;
    return `${said.user}${said.to === undefined ? "" : ` to ${said.to}`}: ${said.text}`;
  }
  if (said.members !== undefined) return `in ${said.group}: ${said.members.join(", ")}`;
  return `! ${said.problem ?? said.notice}`;
}

/** What others say must not steer this terminal. */
function print(text: string): void {
  process.stdout.write(`${text.replace(/\p{Cc}/gu, " ")}\n`);
}

function leave(reason: string | null): void {
  if (reason !== null) {
    console.error(reason);
    process.exitCode = 1;
  }
  selector.close();
}
