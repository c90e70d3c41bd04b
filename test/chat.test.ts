// The chat in one process, as its users see it: sockets, Python, nc, the client on a pipe and on a
// terminal; slow readers and malformed lines.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LineReader } from "../examples/chat/line-reader.ts";
import { close, read } from "../src/index.ts";
import { Client, eventually, Program, type Said } from "./chat-processes.ts";

afterEach(async () => {
  Client.closeAll();
  await Program.killAll();
});

const has = (command: string) =>
  (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/${command}`));

describe("the line reader", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it("finds the same lines however the stream is cut", () => {
    const stream = bytes('one\n{"two":2}\r\n\n\r\nfünf\nsix');
    for (let size = 1; size <= stream.length; size++) {
      const reader = new LineReader(64);
      const lines = [];
      for (let at = 0; at < stream.length; at += size) {
        lines.push(...reader.feed(stream.subarray(at, at + size)));
      }
      lines.push(...reader.finish());
      const texts = lines.map((line) => ("text" in line ? line.text : line.problem));
      expect(texts).toEqual(["one", '{"two":2}', "fünf", "six"]);
    }
  });

  it("says once that a line is too long, and finds the next", () => {
    const reader = new LineReader(8);
    const lines = ["12345678\n123456", "789", "0123456789", "\nnext\n"].flatMap((part) =>
      reader.feed(bytes(part)),
    );
    expect(lines).toEqual([
      { text: "12345678" },
      { problem: expect.stringContaining("8 bytes") },
      { text: "next" },
    ]);
  });

  it("skips what is no UTF-8", () => {
    const reader = new LineReader(8);
    const lines = reader.feed(new Uint8Array([0xff, 0xfe, 10, 65, 10]));
    expect(lines).toEqual([{ problem: expect.stringContaining("UTF-8") }, { text: "A" }]);
  });
});

describe("chat-server", () => {
  let server: Program;
  let port: number;
  const start = async (...options: string[]) => {
    server = Program.example("chat-server", ...options);
    port = (await server.event("ready")).port;
  };

  it("sends each message to all users, in order, and ends when asked", async () => {
    await start();
    const clients = await Promise.all(Array.from({ length: 20 }, () => Client.open(port)));
    await Promise.all(clients.map((client, i) => client.settled(`client ${i}`)));
    clients.forEach((client, i) => {
      for (let n = 0; n < 50; n++) client.say({ user: `user ${i}`, text: `${n}` });
    });
    for (const client of clients) {
      const counted = () => client.heard.filter(({ user }) => user.startsWith("user"));
      await eventually(
        () => counted().length >= 1000,
        () => `${counted().length} of 1000`,
      );
      for (let i = 0; i < clients.length; i++) {
        const texts = counted().flatMap(({ user, text }) => (user === `user ${i}` ? [text] : []));
        expect(texts).toEqual(Array.from({ length: 50 }, (_, n) => `${n}`));
      }
    }
    expect(await server.stop()).toBe(0);
    expect(server.errors).toBe("");
  });

  it("reports and skips what it cannot understand, and goes on", async () => {
    await start("--longest-line", "200");
    const [bad, good] = [await Client.open(port), await Client.open(port)];
    await good.settled("good");
    const lines: [string, RegExp][] = [
      ["{", /not JSON/],
      ["[]", /not a JSON object/],
      ["null", /not a JSON object/],
      ['{"text":"hi"}', /"user" is not a name/],
      ['{"user":7,"text":"hi"}', /"user" is not a name/],
      ['{"user":"ada"}', /not one of/],
      ['{"user":"ada","text":1}', /not one of/],
      ['{"user":"ada","join":""}', /"join" is not a name/],
      ['{"user":"ada","join":"@tea"}', /does not begin with "@"/],
      [`{"user":"ada","text":"${"x".repeat(5000)}"}`, /more than 200 bytes/],
    ];
    for (const [line] of lines) bad.say(line);
    bad.socket.write(Buffer.from([0xc3, 0x28, 10]));
    bad.say({ user: "ada", text: "at last" });
    await bad.hears(({ text }) => text === "at last");
    expect(bad.heard.flatMap(({ problem }) => problem ?? [])).toEqual([
      ...lines.map(([, reason], i) => expect.stringMatching(`^line ${i + 1}: .*${reason.source}`)),
      expect.stringMatching(/^line 11: .*UTF-8/),
    ]);
    await good.hears(({ text }) => text === "at last");
    expect(good.heard.filter(({ problem }) => problem !== undefined)).toEqual([]);
    for (const [, reason] of lines) expect(server.errors).toMatch(reason);
  });

  it("has groups: join, members, leave, and a word from outside", async () => {
    await start();
    const [ada, bob, eve] = [
      await Client.open(port),
      await Client.open(port),
      await Client.open(port),
    ];
    ada.say({ user: "ada", join: "tea" });
    await ada.hears(({ members }) => members?.length === 1);
    bob.say({ user: "bob", join: "tea" });
    expect(await bob.hears(({ group }) => group === "tea")).toEqual({
      group: "tea",
      members: ["ada", "bob"],
    });
    eve.say({ user: "eve", text: "milk?", to: "tea" });
    const address = expect.stringMatching(/^@[\w-]{16}$/);
    for (const member of [ada, bob]) {
      expect(await member.hears(({ text }) => text === "milk?")).toEqual({
        user: "eve",
        text: "milk?",
        to: "tea",
        from: address,
      });
    }
    const { from } = await ada.hears(({ text }) => text === "milk?");
    ada.say({ user: "ada", text: "a little", to: from });
    const answered = await eve.hears(({ text }) => text === "a little");
    expect(answered).toEqual({ user: "ada", text: "a little", to: from, from: address });
    expect(answered.from).not.toBe(from);
    eve.say({ user: "eve", text: "thanks", to: answered.from });
    await ada.hears(({ text }) => text === "thanks");
    await bob.settled("bob");
    expect(bob.heard.map(({ text }) => text)).not.toContain("a little");
    expect(bob.heard.map(({ text }) => text)).not.toContain("thanks");
    ada.say({ user: "ada", leave: "tea" });
    await ada.hears(({ members }) => members?.length === 1 && members[0] === "bob");
    eve.say({ user: "eve", text: "sugar?", to: "tea" });
    eve.say({ user: "eve", text: "unheard", to: "no such group" });
    await bob.hears(({ text }) => text === "sugar?");
    await eve.settled("eve");
    for (const other of [ada, eve]) {
      expect(other.heard.filter(({ text }) => text === "sugar?")).toEqual([]);
    }
    expect([ada, bob, eve].flatMap(({ heard }) => heard.map(({ text }) => text))).not.toContain(
      "unheard",
    );
    bob.socket.destroy();
    await eventually(
      async () => {
        eve.say({ members: "tea" });
        await eve.settled("eve");
        return eve.heard.findLast(({ group }: Said) => group === "tea").members.length === 0;
      },
      () => "bob has gone",
    );
  });

  it("bounds the groups of a connection, and says which join was refused", async () => {
    await start("--groups-per-member", "3");
    const [greedy, other] = [await Client.open(port), await Client.open(port)];
    for (let i = 0; i < 3; i++) greedy.say({ user: "greedy", join: `group ${i}` });
    greedy.say({ user: "greedy", join: "group 0" }); // it is in that one
    greedy.say({ user: "greedy", join: "group 3" });
    const refused = await greedy.hears(({ problem }) => problem !== undefined);
    expect(refused.problem).toMatch(/^line 5: cannot join "group 3": .* in 3 groups.*leave one/);
    other.say({ user: "other", join: "group 3" });
    expect((await other.hears(({ group }) => group === "group 3")).members).toEqual(["other"]);
    greedy.say({ user: "greedy", leave: "group 1" });
    greedy.say({ user: "greedy", join: "group 3" });
    await greedy.hears(({ group, members }) => group === "group 3" && members.length === 2);
    expect(server.errors).toMatch(/greedy: line 5: cannot join/);
  });

  it("drops a slow reader with a reason, and no other user waits for it", async () => {
    await start("--queue-bytes", "200000");
    const [slow, fast] = [await Client.open(port), await Client.open(port)];
    slow.say({ user: "snail", text: "here" });
    await fast.hears(({ text }) => text === "here");
    slow.socket.pause();
    const text = "x".repeat(3000);
    const dropped = ({ notice }: Said) => /snail was dropped: slow reader.*200000/.test(notice);
    for (let sent = 0; sent < 20_000 && !fast.heard.some(dropped); sent += 60) {
      for (let i = 0; i < 60; i++) fast.say({ user: "hare", text });
      await fast.settled("hare");
    }
    await fast.hears(dropped);
    await fast.settled("hare");
    expect(server.errors).toMatch(/snail was dropped: slow reader/);
    slow.socket.resume();
    await eventually(
      () => slow.closed,
      () => "the slow one is closed",
    );
  });

  const noTimes = !existsSync("/proc/self/stat");
  it.skipIf(noTimes)("waits for no writing where nothing waits: it uses no CPU", async () => {
    await start();
    const clients = await Promise.all(Array.from({ length: 10 }, () => Client.open(port)));
    for (const client of clients) await client.settled("anyone");
    const ticks = () => {
      const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(") ")[1]?.split(" ");
      return Number(fields?.[11]) + Number(fields?.[12]);
    };
    const before = ticks();
    await new Promise((resolve) => setTimeout(resolve, 500));
    // A loop that spins would have used 50 of the 50 ticks.
    expect(ticks() - before).toBeLessThan(25);
  });

  it("hears the last words of who closes its side, and tells it what was under way", async () => {
    await start();
    const other = await Client.open(port);
    await other.settled("other");
    const last = await Client.open(port);
    last.socket.end('{"user":"last","text":"bye"}'); // not even an end of the line
    await other.hears(({ text }) => text === "bye");
    await last.hears(({ text }) => text === "bye");
    await once(last.socket, "close");
  });

  describe.skipIf(!has("python3"))("with Python's socket", () => {
    it("talks", async () => {
      await start();
      const other = await Client.open(port);
      await other.settled("other");
      const script = `
import json, socket, sys
peer = socket.create_connection(("127.0.0.1", ${port}))
lines = peer.makefile("rw", encoding="utf-8", newline="\\n")
for i in range(3):
    lines.write(json.dumps({"user": "python", "text": f"grüße {i}"}) + "\\r\\n")
lines.flush()
print(json.dumps([json.loads(lines.readline()) for i in range(3)]))
`;
      const python = new Program("python3", ["-c", script]);
      expect(await python.ended()).toBe(0);
      const expected = [0, 1, 2].map((i) => ({ user: "python", text: `grüße ${i}` }));
      expect(JSON.parse(python.output)).toEqual(expected);
      await other.hears(({ text }) => text === "grüße 2");
      expect(other.heard.filter(({ user }) => user === "python")).toEqual(expected);
    });
  });

  describe.skipIf(!has("nc"))("with nc", () => {
    it("talks", async () => {
      await start();
      const other = await Client.open(port);
      await other.settled("other");
      const nc = new Program("nc", ["127.0.0.1", `${port}`]);
      nc.child.stdin?.write('{"user":"nc","text":"hello"}\n');
      await other.hears(({ user, text }) => user === "nc" && text === "hello");
      await nc.said(/"hello"/);
      other.say({ user: "other", text: "hello nc" });
      await nc.said(/hello nc/);
    });
  });
});

describe("chat-client", () => {
  let port: number;
  beforeEach(async () => {
    port = (await Program.example("chat-server").event("ready")).port;
  });

  it("sends what a pipe brings, prints what all say, and ends with the pipe", async () => {
    const other = await Client.open(port);
    await other.settled("other");
    const client = Program.example("chat-client", `127.0.0.1:${port}`, "ada");
    client.child.stdin?.write("/join tea\nhello\n");
    await other.hears(({ user, text }) => user === "ada" && text === "hello");
    await client.said(/^in tea: ada$/m);
    await client.said(/^ada: hello$/m);
    other.say({ user: "bob", text: "a \u001b[31mred word", to: "tea" });
    await client.said(/^bob to tea: a {2}\[31mred word$/m);
    client.child.stdin?.end("/to tea bye\n");
    expect(await client.ended()).toBe(0);
    expect(client.output).toMatch(/^ada to tea: bye$/m);
  });

  it("sends an answer to the last user of a group alone, which is no member", async () => {
    const [other, eve] = [await Client.open(port), await Client.open(port)];
    const client = Program.example("chat-client", `127.0.0.1:${port}`, "ada");
    client.child.stdin?.write("/answer too early\n/join tea\n");
    await client.said(/^! nothing to answer/m);
    await client.said(/^in tea: ada$/m);
    eve.say({ user: "eve", text: "milk?", to: "tea" });
    await client.said(/^eve to tea: milk\?$/m);
    client.child.stdin?.write("/answer a little\n");
    const { from } = await eve.hears(({ user, text }) => user === "ada" && text === "a little");
    eve.say({ user: "eve", text: "thanks", to: from });
    await client.said(/^eve to you: thanks$/m);
    await other.settled("other");
    expect(other.heard.filter(({ to }: Said) => to !== undefined)).toEqual([]);
    client.child.stdin?.end();
    expect(await client.ended()).toBe(0);
  });

  it("shows a line that is not of the chat's language as it is, and goes on", async () => {
    const lines = [
      ...["plain words", "[1]", "null", '{"odd":1}', '{"user":"eve","text":7}'],
      // No text can be made of such an object.
      ...['{"user":{"toString":1},"text":"x"}', '{"group":"tea","members":{"toString":1}}'],
    ];
    const strange = createServer((socket) => {
      socket.write([...lines, '{"user":"eve","text":"hello"}', ""].join("\n"));
    });
    strange.listen(0, "127.0.0.1");
    await once(strange, "listening");
    const { port: at } = strange.address() as AddressInfo;
    const client = Program.example("chat-client", `127.0.0.1:${at}`, "ada");
    await client.said(/^eve: hello$/m);
    expect(client.output).toBe(`${lines.map((line) => `? ${line}\n`).join("")}eve: hello\n`);
    client.child.kill("SIGTERM");
    expect(await client.ended()).toBe(0);
    strange.close();
  });

  it("shows the members of a large group", async () => {
    const members = Array.from({ length: 10_000 }, (_, i) => `member ${i}`);
    const crowded = createServer((socket) => {
      socket.write(`${JSON.stringify({ group: "crowd", members })}\n`);
    });
    crowded.listen(0, "127.0.0.1");
    await once(crowded, "listening");
    const { port: at } = crowded.address() as AddressInfo;
    const client = Program.example("chat-client", `127.0.0.1:${at}`, "ada");
    await client.said(/member 9999$/m);
    expect(client.output).toBe(`in crowd: ${members.join(", ")}\n`);
    client.child.kill("SIGTERM");
    expect(await client.ended()).toBe(0);
    crowded.close();
  });

  it("takes a file as its input, of any length", async () => {
    const other = await Client.open(port);
    await other.settled("other");
    const source = Array.from({ length: 5000 }, (_, i) => `line ${i}`).join("\n");
    const client = Program.example("chat-client", `127.0.0.1:${port}`, "cat");
    client.child.stdin?.end(source);
    await other.hears(({ text }) => text === "line 4999");
    expect(other.heard.filter(({ user }) => user === "cat")).toHaveLength(5000);
    expect(await client.ended()).toBe(0);
    const file = spawnSync(
      "sh",
      [
        "-c",
        '"$0" dist/examples/chat-client.js "127.0.0.1:$1" file < package.json',
        process.execPath,
        `${port}`,
      ],
      { encoding: "utf8", timeout: 20_000 },
    );
    expect(file.status).toBe(0);
    expect(file.stdout).toContain("file: {");
  });

  it("says why if no server listens, and if the server ends", async () => {
    const refused = Program.example("chat-client", "127.0.0.1:1", "ada");
    expect(await refused.ended()).toBe(1);
    expect(refused.errors).toContain("ECONNREFUSED");
    const server = Program.example("chat-server");
    const client = Program.example(
      "chat-client",
      `127.0.0.1:${(await server.event("ready")).port}`,
      "ada",
    );
    client.child.stdin?.write("hello\n");
    await client.said(/ada: hello/);
    await server.stop("SIGKILL");
    expect(await client.ended()).toBe(1);
    expect(client.errors).toMatch(/closed the connection|lost/);
  });

  it("talks on a terminal", async () => {
    const other = await Client.open(port);
    await other.settled("other");
    const { openPty, write } = await import("../src/index.ts");
    const { controller, terminal } = openPty();
    const { spawn } = await import("node:child_process");
    const args = ["dist/examples/chat-client.js", `127.0.0.1:${port}`, "ada"];
    const child = spawn(process.execPath, args, { stdio: [terminal, terminal, terminal] });
    const ended = once(child, "exit");
    close(terminal);
    let screen = "";
    const buffer = new Uint8Array(4096);
    const shows = (pattern: RegExp) =>
      eventually(
        () => {
          const n = read(controller, buffer);
          if (n > 0) screen += new TextDecoder().decode(buffer.subarray(0, n));
          return pattern.test(screen);
        },
        () => `${pattern} on ${screen}`,
      );
    const type = (text: string) => write(controller, new TextEncoder().encode(text));
    await shows(/connected to .* as ada/);
    type("hello\n");
    await other.hears(({ user, text }) => user === "ada" && text === "hello");
    other.say({ user: "bob", text: "hello ada" });
    await shows(/bob: hello ada/);
    expect(screen).not.toContain("ada: hello\r"); // it stands there already, as it was typed
    type("\u0004"); // Ctrl-D
    expect((await ended)[0]).toBe(0);
    close(controller);
  });
});
