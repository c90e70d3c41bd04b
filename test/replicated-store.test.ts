// The replicated store as processes: what is answered is on disk, whatever is killed; readers catch
// up when they are idle, and under load within the bound, or not at all without one.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Request } from "zeromq";
import { StoreClient } from "../examples/replicated-store/client.ts";
import { loadStore, saveStore } from "../examples/replicated-store/store-file.ts";
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
  const { reads, writes } = await program.event("ready");
  return { program, reads, writes, client: new StoreClient({ reads, writes }) };
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

describe("replicated-store", () => {
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
      const killed = pidsOf(program, /writer/).at(-1) ?? 0;
      const puts = Array.from({ length: 40 }, async (_, i) => {
        const key = `${round} ${i}`;
        await client.ask({ op: "put", key, value: `value ${key}` });
        answered.set(key, `value ${key}`);
        if (i === 3) process.kill(killed, "SIGKILL");
        // Whenever one looks, the file is whole.
        JSON.parse(readFileSync(path, "utf8"));
      });
      await Promise.all(puts);
    }
    expect(answered.size).toBe(120);
    const { entries } = await loadStore(path);
    for (const [key, value] of answered) expect(entries.get(key)).toBe(value);
  });

  it("starves a reader under load where nothing bounds that, and only there", async () => {
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
