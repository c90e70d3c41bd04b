// The replicated store as processes: what is answered is on disk, whatever is killed; readers catch
// up when they are idle, and under load within the bound, or not at all without one.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Request } from "zeromq";
import { StoreClient } from "../examples/replicated-store/client.ts";
import { PipelinedClient } from "../examples/replicated-store/pipelined-client.ts";
import { loadStore, saveStore } from "../examples/replicated-store/store-file.ts";
import { killProcess } from "./bench-processes.ts";
import { untilGone } from "./chat-hosts.ts";
import { eventually, Program } from "./chat-processes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterEach(async () => {
  await Program.killAll();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function serve(...options: string[]) {
  const program = Program.example("replicated-store", "serve", folder, ...options);
  const { reads, writes, both, changes } = await program.event("ready");
  return { program, reads, writes, both, changes, client: new StoreClient({ reads, writes }) };
}

const pidsOf = (program: Program, role = /./): number[] =>
  program
    .events()
    .filter((event) => event.event === "started" && role.test(event.role))
    .map(({ pid }) => pid);

describe("the store file", () => {
  it("is empty at first, and afterwards what was saved last", async () => {
    const path = join(folder, "store.json");
    expect(await loadStore(path)).toEqual({ version: 0, entries: new Map() });
    const entries = new Map([
      ["a", "1"],
      ["__proto__", "2"],
    ]);
    await saveStore(path, { version: 7, entries });
    expect(await loadStore(path)).toEqual({ version: 7, entries });
  });
});

const clientInPython = `
import json, sys, zmq
address, kind = sys.argv[1:]
context = zmq.Context()
socket = context.socket(zmq.REQ if kind == "REQ" else zmq.DEALER)
socket.RCVTIMEO = 10000
socket.linger = 0
socket.connect(address)
def ask(operation, **question):
    frames = [operation.encode(), json.dumps({"op": operation, **question}).encode()]
    socket.send_multipart(frames if kind == "REQ" else [b"7", b""] + frames)
    answer = socket.recv_multipart()
    if kind == "DEALER": assert answer[:2] == [b"7", b""], answer
    return json.loads(answer[-1])
answers = [ask("put", key=kind, value="1"), ask("get", key="never"), ask("sing", key="x")]
print(json.dumps(answers))
`;
const pythons = ["python3", "/usr/bin/python3"];
const python = pythons.find((name) => spawnSync(name, ["-c", "import zmq"]).status === 0);

describe("replicated-store", () => {
  it("has one address for both kinds, routed by the operation frame alone", async () => {
    const { both } = await serve("--readers", "1");
    const socket = new Request({ linger: 0, receiveTimeout: 10_000 });
    socket.connect(both);
    const put = JSON.stringify({ op: "put", key: "a", value: "1" });
    await socket.send(["put", put]);
    expect(String(await socket.receive())).toBe('{"version":1}');
    // The frame decides, and what is in the JSON is not read: a reader gets this, and refuses it.
    await socket.send(["get", put]);
    expect(String(await socket.receive())).toMatch(/not a get/);
    await socket.send([put]);
    expect(String(await socket.receive())).toMatch(/must be get, put or delete/);
    socket.close();
  });

  it.skipIf(python === undefined).each(["REQ", "DEALER"])(
    "answers a %s socket of Python at that address",
    async (kind) => {
      const { both } = await serve("--readers", "1");
      const asked = new Program(python ?? "", ["-c", clientInPython, both, kind]);
      expect(await asked.ended(), asked.errors).toBe(0);
      expect(JSON.parse(asked.output)).toEqual([
        { version: 1 },
        { version: expect.any(Number), value: null },
        { version: 0, error: expect.stringContaining('"sing"') },
      ]);
    },
  );

  it("serves its own clients at that address", async () => {
    const { both } = await serve("--readers", "1");
    const put = Program.example("replicated-store", "put", both, "a", "1");
    expect(await put.ended(), put.errors).toBe(0);
    expect(JSON.parse(put.output)).toEqual({ version: 1 });
    const client = new PipelinedClient({ reads: both, writes: both });
    expect(await client.ask({ op: "put", key: "a", value: "2" })).toEqual({ version: 2 });
    await eventually(
      async () => (await client.ask({ op: "get", key: "a" })).value === "2",
      () => "a is 2",
    );
    client.close();
    const get = Program.example("replicated-store", "get", both, "a");
    expect(await get.ended(), get.errors).toBe(0);
    expect(JSON.parse(get.output)).toEqual({ version: 2, value: "2" });
  });

  it("answers hundreds of questions of one client that are under way at once", async () => {
    const { reads, writes } = await serve("--readers", "2");
    const client = new PipelinedClient({ reads, writes });
    const puts = Array.from({ length: 300 }, (_, i) =>
      client.ask({ op: "put", key: "k", value: `${i}` }),
    );
    const versions = (await Promise.all(puts)).map(({ version }) => version);
    expect(versions).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    await eventually(
      async () => (await client.ask({ op: "get", key: "k" })).value === "299",
      () => "the last put",
    );
    const left = client.ask({ op: "get", key: "k" });
    client.close();
    await expect(left).rejects.toThrow(/was closed/);
  });

  it("publishes each change of the keys with a prefix, also after its writer died", async () => {
    const { client, changes, program } = await serve("--readers", "1");
    const watching = Program.example("replicated-store", "watch", changes, "col");
    // A subscription takes a moment to get there.
    const seen = async (value: string) =>
      await eventually(
        async () => {
          await client.ask({ op: "put", key: "colour", value });
          return watching.output.includes(`"value":"${value}"`);
        },
        () => watching.output + watching.errors,
      );
    await seen("blue");
    await client.ask({ op: "put", key: "shape", value: "round" });
    await client.ask({ op: "delete", key: "colour" });
    await eventually(
      () => watching.events().at(-1)?.value === null,
      () => watching.output,
    );
    expect(watching.output).not.toContain("shape");
    killProcess(pidsOf(program, /writer/).at(-1), "SIGKILL");
    await seen("red");
    expect(await watching.stop()).toBe(0);
  });

  it("finds a change by the file's time stamp where inotify reports none", async () => {
    const options = ["--notice", "stamps", "--look-ms", "20", "--readers", "1"];
    const { client } = await serve(...options);
    await client.ask({ op: "put", key: "a", value: "1" });
    await eventually(
      async () => (await client.ask({ op: "get", key: "a" })).value === "1",
      () => "a is 1",
    );
    const wrong = Program.example("replicated-store", "serve", folder, "--notice", "pigeon");
    expect(await wrong.ended()).toBe(1);
    expect(wrong.errors).toContain("--notice pigeon: is neither inotify nor stamps");
  });

  it("ends with status 1 where a question is asked at the wrong address", async () => {
    const { reads, writes } = await serve("--readers", "1");
    const get = Program.example("replicated-store", "get", writes, "a");
    expect(await get.ended()).toBe(1);
    expect(get.errors).toContain(`get a at ${writes}: not a put or a delete`);
    const right = Program.example("replicated-store", "get", reads, "a");
    expect(await right.ended()).toBe(0);
  });

  it("answers reads and writes, each at its own address", async () => {
    const { client, reads, writes, program } = await serve("--readers", "3");
    expect(await client.ask({ op: "get", key: "a" })).toEqual({ version: 0, value: null });
    expect(await client.ask({ op: "put", key: "a", value: "1" })).toEqual({ version: 1 });
    await eventually(
      async () => (await client.ask({ op: "get", key: "a" })).value === "1",
      () => "a is 1",
    );
    const wrong = new StoreClient({ reads: writes, writes: reads });
    expect(await wrong.ask({ op: "get", key: "a" })).toMatchObject({
      error: expect.stringMatching(/put or a delete/),
    });
    expect(await wrong.ask({ op: "put", key: "a", value: "2" })).toMatchObject({
      error: expect.stringMatching(/get/),
    });
    const command = Program.example("replicated-store", "delete", writes, "a");
    expect(await command.ended()).toBe(0);
    expect(JSON.parse(command.output)).toEqual({ version: 2 });
    expect(await program.stop()).toBe(0);
    await untilGone(pidsOf(program));
  });

  it("has on disk what it has answered, however often its writer is killed", async () => {
    const { client, program } = await serve("--readers", "1");
    const path = join(folder, "store.json");
    const answered = new Map<string, string>();
    for (let round = 0; round < 3; round++) {
      await eventually(
        () => pidsOf(program, /writer/).length > round,
        () => "the next writer",
      );
      const killed = pidsOf(program, /writer/).at(-1);
      const puts = Array.from({ length: 40 }, async (_, i) => {
        const key = `${round} ${i}`;
        await client.ask({ op: "put", key, value: `value ${key}` });
        answered.set(key, `value ${key}`);
        if (i === 3) killProcess(killed, "SIGKILL");
        // Whenever one looks, the file is whole.
        JSON.parse(readFileSync(path, "utf8"));
      });
      await Promise.all(puts);
    }
    expect(answered.size).toBe(120);
    const { entries } = await loadStore(path);
    for (const [key, value] of answered) expect(entries.get(key)).toBe(value);
  });

  it("starves a reader under load if nothing bounds that, and only then", async () => {
    const busy = async (staleMs: string) => {
      const store = await serve("--readers", "1", "--idle-ms", "700", "--stale-ms", staleMs);
      const load = new Load(store.reads);
      await eventually(
        () => load.answers > 500,
        () => "the reader is busy",
      );
      const { version } = await store.client.ask({ op: "put", key: "a", value: "1" });
      return { ...store, load, version };
    };
    const bounded = await busy("50");
    await eventually(
      () => bounded.load.version === bounded.version,
      () => `version ${bounded.load.version}`,
    );
    await bounded.load.stop();
    expect(await bounded.program.stop()).toBe(0);
    const { forcedReloads } = await bounded.program.event("reader-counters");
    expect(forcedReloads).toBeGreaterThan(0);

    rmSync(join(folder, "store.json"));
    const starving = await busy("never");
    const until = starving.load.answers + 1000;
    await eventually(
      () => starving.load.answers > until,
      () => "a thousand answers more",
    );
    expect(starving.load.version).toBeLessThan(starving.version);
    await starving.load.stop();
    const values: unknown[] = [];
    for (let i = 0; i < 5 && !values.includes("1"); i++) {
      await delay(1500); // a question more often would keep it from being idle
      values.push((await starving.client.ask({ op: "get", key: "a" })).value);
    }
    expect(values.at(-1)).toBe("1");
  });

  it("leaves nothing behind when its supervisor is killed", async () => {
    const { program } = await serve();
    const pids = pidsOf(program);
    expect(pids).toHaveLength(4);
    program.child.kill("SIGKILL");
    await untilGone([...pids, program.pid]);
  });
});

/** Asks as fast as it gets answers, over some connections. */
class Load {
  answers = 0;
  version = -1;
  #running = true;
  readonly #loops: Promise<void>[];

  constructor(address: string) {
    this.#loops = Array.from({ length: 8 }, () => this.#loop(address));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #loop(address: string): Promise<void> {
    const socket = new Request({ linger: 0, receiveTimeout: 10_000 });
    socket.connect(address);
    while (this.#running) {
      await socket.send(JSON.stringify({ op: "get", key: "a" }));
      const [answer] = await socket.receive();
      this.version = JSON.parse(String(answer)).version;
      this.answers++;
    }
    socket.close();
  }
}
