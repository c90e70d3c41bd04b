// A chat client: sends what you type to all users, and prints what they send. Standard input may be
// a terminal, a pipe or a file. It ends with the input, or on Ctrl-C.
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

/** Stops reading the input while too many bytes wait to be sent. */
function serveInput(connection: Connection): void {
  if (interactive) print(`connected to ${address} as ${user}`);
  const leave = () => {
    leaving = true;
    connection.destroy();
  };
  process.stdout.on("error", leave); // the reader of our output has closed it
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, leave);
  typed.on("line", (line) => {
    const request = line === "" ? null : requestOf(line);
    if (request !== null && !connection.write(`${JSON.stringify(request)}\n`)) typed.pause();
  });
  typed.on("close", () => {
    inputEnded = true;
    connection.end(); // messages in flight still arrive
  });
}

/** What a typed line asks for; null if that is not possible, which is printed. */
function requestOf(line: string): object | null {
  const [, answer] = /^\/answer (.*)$/.exec(line) ?? [];
  if (answer !== undefined) {
    if (lastFrom !== null) return { user, to: lastFrom, text: answer };
    print("! nothing to answer: no message to a group has arrived");
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
  const said = parsed(line);
  if (said === null) return `? ${line}`; // not a message of this chat: shown as it is
  if (said.text !== undefined) {
    const { from, to } = said;
    if (typeof from === "string" && said.user !== user) lastFrom = from;
    if (interactive && said.user === user) return null;
    const target = String(to).startsWith("@") ? "you" : to; // only the owner of an address gets it
    return `${said.user}${to === undefined ? "" : ` to ${target}`}: ${said.text}`;
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

/** Without control characters: messages of others must not control this terminal. */
function print(text: string): void {
  process.stdout.write(`${text.replace(/\p{Cc}/gu, " ")}\n`);
}

function fail(reason: string): void {
  console.error(reason);
  process.exitCode = 1;
}
