// A chat over TCP: lines of JSON, told to all, or to the members of a group. Enters: {"user","text"}
// from any client, nc(1) too. Leaves: the same to everybody, through a bounded queue for each.
//
//   npm run build && node dist/examples/chat-server.js --port 7000
//   echo '{"user":"ada","text":"hello"}' | nc -q 1 127.0.0.1 7000           # in another terminal

import { parseArgs } from "node:util";
import { DefaultSelector, localPort, Reactor } from "../src/index.ts";
import { openDoor } from "./chat/door.ts";
import { LocalFloor } from "./chat/local-floor.ts";
import { Member } from "./chat/member.ts";

const { values: options } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    "longest-line": { type: "string", default: "4096" },
    "queue-bytes": { type: "string", default: "262144" },
  },
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

const reactor = new Reactor(new DefaultSelector());
const floor = new LocalFloor(reactor, {
  longestLineBytes: Number(options["longest-line"]),
  queueBytes: Number(options["queue-bytes"]),
});
const door = { host: options.host, port: Number(options.port), shared: false };
const listener = openDoor(reactor, door, (fd) => floor.room.enter(new Member(fd, floor)));
console.log(JSON.stringify({ event: "ready", port: localPort(listener), pid: process.pid }));
await reactor.run({ signal: stop.signal });
