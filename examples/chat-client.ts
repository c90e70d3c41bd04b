// A chat client: what you type goes to all, what the others say is printed. Lines go from standard
// input, whatever it is, to the connection and back, until Ctrl-C or the end of the input.
//
//   npm run build && node dist/examples/chat-client.js 127.0.0.1:7000 ada
//   /join tea · /leave tea · /members tea · /to tea shall we? · /answer yes · else to all users

import { createInterface } from "node:readline";
import { type Connection, connect, lines } from "../src/index.ts";

/** The answer with the members of a large group is one line. */
const LONGEST_LINE_BYTES = 16 << 20;

const [address = "", user] = process.argv.slice(2);
const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
if (host === undefined || user === undefined)
  throw new Error("usage: chat-client.js HOST:PORT USER");

const interactive = process.stdin.isTTY === true;
const typed = createInterface({ input: process.stdin });
let inputEnded = false;
let leaving = false;
/** The private address of the last other user of a group, or that wrote to this client alone. */
let lastFrom: string | null = null;

const handlers = lines({
  longest: LONGEST_LINE_BYTES,
  onLine(_connection, line) {
    const text = show(line);
    if (text !== null) print(text);
  },
  drain: () => typed.resume(),
  end: (connection) => connection.end(),
  close(_connection, error) {
    if (error !== null) fail(`the connection was lost: ${error.message}`);
    else if (!inputEnded && !leaving) fail("the server has closed the connection");
    typed.close();
    process.stdin.destroy();
  },
});

try {
  serveInput(await connect({ host, port: Number(port), allowHalfOpen: true }, handlers));
} catch (error) {
  fail(`${address}: ${(error as Error).message}`);
  process.stdin.destroy();
}

/** No more is read while something waits to be sent. */
function serveInput(connection: Connection): void {
  if (interactive) print(`connected to ${address} as ${user}`);
  const leave = () => {
    leaving = true;
    connection.destroy();
  };
  process.stdout.on("error", leave); // nothing reads on
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, leave);
  typed.on("line", (line) => {
    const request = line === "" ? null : requestOf(line);
    if (request !== null && !connection.write(`${JSON.stringify(request)}\n`)) typed.pause();
  });
  typed.on("close", () => {
    inputEnded = true;
    connection.end(); // what is under way still comes
  });
}

/** What a typed line asks for; null if that is not possible, which is printed. */
function requestOf(line: string): object | null {
  const [, answer] = /^\/answer (.*)$/.exec(line) ?? [];
  if (answer !== undefined) {
    if (lastFrom !== null) return { user, to: lastFrom, text: answer };
    print("! nothing to answer: no message to a group has come");
    return null;
  }
  const [, command, group = "", text = ""] =
    /^\/(join|leave|members|to) (\S+)(?: (.*))?$/.exec(line) ?? [];
  if (command === "members") return { members: group };
  if (command === "to") return { user, to: group, text };
  return command === undefined ? { user, text: line } : { user, [command]: group };
}

/** A line of the server for a person; null for what that person has just typed. */
function show(line: string): string | null {
  const { user: speaker, text, to, from, group, members, problem, notice } = parsed(line);
  if (isText(text) && isText(speaker)) {
    if (isText(from) && speaker !== user) lastFrom = from;
    if (interactive && speaker === user) return null;
    const target = isText(to) && to.startsWith("@") ? "you" : to; // only its owner gets it
    return `${speaker}${isText(target) ? ` to ${target}` : ""}: ${text}`;
  }
  if (Array.isArray(members) && isText(group)) {
    return `in ${group}: ${members.filter(isText).join(", ")}`;
  }
  const told = problem ?? notice;
  return isText(told) ? `! ${told}` : `? ${line}`; // not of this chat's language: as it is
}

/** The fields of the JSON object in a line; none if the line is not one. */
function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** What others say must not steer this terminal. */
function print(text: string): void {
  process.stdout.write(`${text.replace(/\p{Cc}/gu, " ")}\n`);
}

function fail(reason: string): void {
  console.error(reason);
  process.exitCode = 1;
}
