// A chat over TCP: lines of JSON, sent to all users or to the members of a group. Any program can
// be a client, nc(1) included.
//
//   npm run build && node dist/examples/chat-server.js --port 7000
//   echo '{"user":"ada","text":"hello"}' | nc -q 1 127.0.0.1 7000           # in another terminal
//   … --workers 4 --name here --broadcast-port 7001 --peer 10.0.0.2:7001    # see docs/chat.md

import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { runHost } from "./chat/arbiter.ts";
import { LocalFloor } from "./chat/local-floor.ts";
import { openDoor } from "./chat/member.ts";

const { values: options } = parseArgs({
  options: {
    host: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    "longest-line": { type: "string", default: "4096" },
    "queue-bytes": { type: "string", default: "262144" },
    "groups-per-member": { type: "string", default: "4096" },
    workers: { type: "string", default: "0" },
    name: { type: "string", default: hostname() },
    "broadcast-host": { type: "string", default: "127.0.0.1" },
    "broadcast-port": { type: "string", default: "0" },
    peer: { type: "string", multiple: true, default: [] },
    "high-water-mark": { type: "string", default: "10000" },
  },
});

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());

const limits = {
  longestLineBytes: Number(options["longest-line"]),
  queueBytes: Number(options["queue-bytes"]),
  groupsPerMember: Number(options["groups-per-member"]),
};
const place = { host: options.host, port: Number(options.port) };
if (Number(options.workers) === 0) await runHere();
else {
  const host = {
    ...place,
    name: options.name,
    gateways: Number(options.workers),
    broadcastHost: options["broadcast-host"],
    broadcastPort: Number(options["broadcast-port"]),
    peers: options.peer,
    highWaterMark: Number(options["high-water-mark"]),
    limits,
  };
  await runHost(host, stop.signal);
}

/** The whole chat in this process. */
async function runHere(): Promise<void> {
  const door = openDoor({ ...place, reusePort: false }, new LocalFloor(limits));
  stop.signal.addEventListener("abort", () => door.close({ connections: "destroy" }));
  await door.ready; // at once, unless the host is a name
  console.log(JSON.stringify({ event: "ready", port: door.address?.port, pid: process.pid }));
}
