// Delivery by UDP multicast with Python at the other end, as sender and as receiver: what is on the
// wire is a group for each event and one line of text. Skipped by name without Python.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { groupOf, udpMulticast } from "../bench/delivery/ways/udp-multicast.ts";

const python = spawnSync("python3", ["--version"]).error === undefined;
const refused = await udpMulticast.refusal?.();
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

function start(program: string, ...args: string[]) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  running.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

const receiver = `
import socket, struct, sys
group, port = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((group, port))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
             socket.inet_aton(group) + socket.inet_aton("127.0.0.1"))
print("ready", flush=True)
while True: print(s.recv(512).decode().strip(), flush=True)
`;

const sender = `
import socket, sys
port = int(sys.argv[1])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
for group, line in zip(sys.argv[2::2], sys.argv[3::2]):
    s.sendto(line.encode() + b"\\n", (group, port))
`;

const way = new URL("../dist/bench/delivery/ways/udp-multicast.js", import.meta.url).href;
const listener = `
import { udpMulticast } from ${JSON.stringify(way)};
const [port, ...events] = process.argv.slice(1).map(Number);
udpMulticast.listen({ folder: "", ports: [port] }, events, (event, n) => console.log(event, n));
console.log("ready");
`;

it("has a group for each event, within the local scope", () => {
  expect([0, 255, 256, 65_535].map(groupOf)).toEqual([
    "239.255.0.0",
    "239.255.0.255",
    "239.255.1.0",
    "239.255.255.255",
  ]);
});

describe.skipIf(!python || refused !== null)("udp:multicast", () => {
  it("reaches a receiver in Python that joined the group, and other groups do not", async () => {
    const place = await udpMulticast.prepare("", 2);
    const { lines } = start("python3", "-c", receiver, groupOf(1), `${place.ports?.[0]}`);
    expect((await lines.next()).value).toBe("ready");
    const ours = await udpMulticast.open(place);
    await ours.emit(0, 6);
    await ours.emit(1, 7);
    ours.close();
    expect((await lines.next()).value).toBe("1 7");
  });

  it("hears a sender in Python, of the events that it listens to", async () => {
    const { ports: [port] = [] } = await udpMulticast.prepare("", 2);
    const args = ["--input-type=module", "-e", listener, `${port}`, "0", "2"];
    const { lines } = start(process.execPath, ...args);
    expect((await lines.next()).value).toBe("ready");
    const sends = [groupOf(1), "1 4", groupOf(2), "2 5", groupOf(0), "0 6"];
    const { child } = start("python3", "-c", sender, `${port}`, ...sends);
    const [code] = await once(child, "exit");
    expect(code).toBe(0);
    const heard = [(await lines.next()).value, (await lines.next()).value];
    expect(heard.sort()).toEqual(["0 6", "2 5"]);
  });
});
