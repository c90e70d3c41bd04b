// The chat, the store and the ways of delivery with programs that share no code with them: pyzmq,
// Python's socket and nc speak what is on the wire. Each is skipped by name if it is missing.
// test/chat.test.ts, replicated-store, delivery-multicast and forward-fifos have the others.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MeetingPlace, Way } from "../bench/delivery/way.ts";
import { unixDatagram } from "../bench/delivery/ways/unix-datagram.ts";
import { zeromq } from "../bench/delivery/ways/zeromq.ts";
import { freePorts, startHost } from "./chat-hosts.ts";
import { Client, eventually, Program, type Said } from "./chat-processes.ts";

const runs = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args).error === undefined;
const pythonWithZmq = ["python3", "/usr/bin/python3"].find(
  (name) => spawnSync(name, ["-c", "import zmq"]).status === 0,
);
const withPyzmq = it.skipIf(pythonWithZmq === undefined);
const withPython = it.skipIf(!runs("python3", "--version"));
const withNc = it.skipIf(!runs("nc", "-h"));

const pyzmq = (script: string, ...args: readonly string[]) =>
  new Program(pythonWithZmq ?? "", ["-c", script, ...args]);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterEach(async () => {
  Client.closeAll();
  await Program.killAll();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe("the chat", () => {
  /** A broadcaster of another host: answers each message with one of its own. */
  const otherHost = `
import json, sys, zmq
context = zmq.Context()
ours = context.socket(zmq.XPUB)
ours.RCVTIMEO = 20000
print(ours.bind_to_random_port("tcp://127.0.0.1"), flush=True)
theirs = context.socket(zmq.SUB)
theirs.connect("tcp://127.0.0.1:" + sys.argv[1])
theirs.subscribe(b"home")
assert ours.recv() == b"\\x01home"
sequence = 0
while True:
    subject, kind, origin, number, to, body = theirs.recv_multipart()
    if kind != b"word": continue
    sequence += 1
    line = {"user": "python", "text": json.loads(body)["text"] + " from python"}
    ours.send_multipart([b"home", b"word", b"python/1", b"%d" % sequence, b"",
                         json.dumps(line).encode() + b"\\n"])
`;

  withPyzmq("talks with another host that is pyzmq", async () => {
    const [broadcastPort = 0] = await freePorts(1);
    const python = pyzmq(otherHost, `${broadcastPort}`);
    await python.said(/^\d+\n/);
    const peers = [`127.0.0.1:${python.output.trim()}`];
    const host = startHost({ name: "ours", gateways: 1, broadcastPort, peers });
    const client = await Client.open((await host.event("ready")).port);
    const answer = ({ user, text }: Said) => user === "python" && text === "hello from python";
    // The two subscribe to each other in their own time, and miss what was said before.
    await eventually(
      () => {
        client.say({ user: "ada", text: "hello" });
        return client.heard.some(answer);
      },
      () => `${JSON.stringify(client.heard)} ${python.errors} ${host.errors}`,
    );
    expect(await host.stop()).toBe(0);
  });
});

/** ZMTP 3.0 with the mechanism NULL, as a REQ socket speaks it. https://rfc.zeromq.org/spec/23/ */
const zmtp = `
import json, socket, struct, sys
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
stream = peer.makefile("rb")
peer.sendall(b"\\xff" + bytes(8) + b"\\x7f\\x03\\x00" + b"NULL".ljust(20, b"\\0") + bytes(32))
greeting = stream.read(64)
assert greeting[0] == 0xff and greeting[9] == 0x7f and greeting[10] >= 3, greeting
def send(flags, body): peer.sendall(bytes([flags, len(body)]) + body)
def receive():
    flags, size = stream.read(2)
    return flags, stream.read(size)
send(4, b"\\x05READY\\x0bSocket-Type" + struct.pack(">I", 3) + b"REQ")
flags, ready = receive()
assert flags == 4 and ready.startswith(b"\\x05READY"), ready
def ask(operation, **question):
    send(1, b"")
    send(1, operation)
    send(0, json.dumps({"op": operation.decode(), **question}).encode())
    frames = [receive(), receive()]
    assert [flags for flags, _ in frames] == [1, 0] and frames[0][1] == b"", frames
    return json.loads(frames[1][1])
print(json.dumps([ask(b"put", key="a", value="1"), ask(b"delete", key="a"), ask(b"get", key="b")]))
`;

/** The same: the greeting, and then the handshake with a request. */
const zmtpGreeting = Buffer.alloc(64);
zmtpGreeting.set([0xff, ...Array(8).fill(0), 0x7f, 3, 0, ...Buffer.from("NULL")]);

function zmtpRequest(operation: string, question: object): Buffer {
  const frame = (flags: number, body: string) =>
    Buffer.concat([Buffer.from([flags, Buffer.byteLength(body)]), Buffer.from(body, "latin1")]);
  return Buffer.concat([
    frame(4, "\x05READY\x0bSocket-Type\0\0\0\x03REQ"),
    frame(1, ""),
    frame(1, operation),
    frame(0, JSON.stringify(question)),
  ]);
}

describe("the store", () => {
  const portOf = async () => {
    const store = Program.example("replicated-store", "serve", folder, "--readers", "1");
    const { both } = await store.event("ready");
    return /\d+$/.exec(both)?.[0] ?? "";
  };

  withPython("answers Python's socket at its one address", async () => {
    const python = new Program("python3", ["-c", zmtp, await portOf()]);
    expect(await python.ended(), python.errors).toBe(0);
    expect(JSON.parse(python.output)).toEqual([
      { version: 1 },
      { version: 2 },
      { version: expect.any(Number), value: null },
    ]);
  });

  withNc("answers nc at its one address", async () => {
    const nc = new Program("nc", ["127.0.0.1", await portOf()]);
    nc.child.stdin?.write(zmtpGreeting);
    await nc.said(/NULL/); // the server's greeting
    nc.child.stdin?.write(zmtpRequest("put", { op: "put", key: "a", value: "1" }));
    await nc.said(/\{"version":1\}$/);
  });
});

/** A process that waits for events as bench/delivery does, and prints each with its number. */
async function listenerOf({ name }: Way, place: MeetingPlace, events: readonly number[]) {
  const ways = new URL("../dist/bench/delivery/ways.js", import.meta.url).href;
  const program = `
import { wayNamed } from ${JSON.stringify(ways)};
const [name, place, events] = process.argv.slice(1);
const print = (event, number) => console.log(event, number);
await wayNamed(name).listen(JSON.parse(place), JSON.parse(events), print);
console.log("ready");
`;
  const args = [name, JSON.stringify(place), JSON.stringify(events)];
  const listener = new Program(process.execPath, ["--input-type=module", "-e", program, ...args]);
  await listener.said(/^ready$/m);
  return listener;
}

describe("zeromq:pub-sub", () => {
  const subscriber = `
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.connect(sys.argv[1])
for event in sys.argv[2:]: socket.subscribe(event.encode() + b".")
while True: print(*[frame.decode() for frame in socket.recv_multipart()], flush=True)
`;
  const publisher = `
import sys, zmq
socket = zmq.Context().socket(zmq.XPUB)
socket.RCVTIMEO = 20000
socket.bind(sys.argv[1])
print(sorted(socket.recv() for subscription in range(2)), flush=True)
for frames in [b"10.", b"4"], [b"1.", b"5"], [b"2.", b"6"]: socket.send_multipart(frames)
sys.stdin.read()
`;

  withPyzmq("reaches a subscriber that is pyzmq, with its events only", async () => {
    const place = await zeromq.prepare(folder, 11);
    const sender = await zeromq.open(place);
    const python = pyzmq(subscriber, place.endpoint ?? "", "1");
    await sender.untilHeard?.(1);
    await sender.emit(10, 6);
    await sender.emit(1, 7);
    await python.said(/\n/);
    expect(python.output).toBe("1. 7\n");
    sender.close();
  });

  withPyzmq("hears a publisher that is pyzmq, of the events that it listens to", async () => {
    const place = await zeromq.prepare(folder, 3);
    const listener = await listenerOf(zeromq, place, [1, 2]);
    const python = pyzmq(publisher, place.endpoint ?? "");
    await listener.said(/^2 6$/m);
    expect(listener.output).toBe("ready\n1 5\n2 6\n");
    expect(python.output).toBe("[b'\\x011.', b'\\x012.']\n");
  });
});

describe("unix:datagram", () => {
  withNc("takes an event from nc", async () => {
    const place = await unixDatagram.prepare(folder, 2);
    const listener = await listenerOf(unixDatagram, place, [1]);
    const path = join(folder, "event-1", `${listener.pid}`);
    const nc = new Program("nc", ["-uU", "-s", join(folder, "nc"), path]);
    nc.child.stdin?.write("1 7\n");
    await listener.said(/^1 7$/m);
  });

  withNc("gives an event to nc, and knows that it did", async () => {
    const place = await unixDatagram.prepare(folder, 2);
    const path = join(folder, "event-1", "nc");
    const nc = new Program("nc", ["-luU", path]);
    await eventually(
      () => existsSync(path),
      () => `${path} ${nc.errors}`,
    );
    const sender = await unixDatagram.open(place);
    expect([await sender.emit(0, 6), await sender.emit(1, 7)]).toEqual([0, 1]);
    await nc.said(/^1 7$/m);
    sender.close();
  });
});
