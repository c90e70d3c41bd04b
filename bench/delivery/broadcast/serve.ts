// The process of a broadcast server.

import "../lifeline.ts";
import { rooms } from "./rooms.ts";

process.stdin.resume(); // nothing is read: its end is to be noticed
const name = process.argv[2] ?? "";
const server = rooms.find((room) => room.name === name);
if (server === undefined) throw new Error(`${name} is not a broadcast server`);
process.stdout.write(`${JSON.stringify({ port: await server.start() })}\n`);
