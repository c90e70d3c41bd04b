// The chat across processes: 50 clients of two hosts with two gateways each get every message once
// and in order. A killed worker, broadcaster or arbiter takes no other process with it.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Ledger } from "../examples/chat/ledger.ts";
import { killProcess } from "./bench-processes.ts";
import {
  accepts,
  freePorts,
  pidOf,
  pidsOf,
  startHost,
  untilConnected,
  untilGone,
} from "./chat-hosts.ts";
import { Client, eventually, Program, type Said } from "./chat-processes.ts";

describe("the ledger", () => {
  const word = (sequence: number) => ({ kind: "word" as const, origin: "a", sequence });
  const mark = (sequence: number) => ({ kind: "mark" as const, origin: "a", sequence });

  it("lets each word through once, and counts what is missing", () => {
    const ledger = new Ledger();
    const taken = [word(5), word(6), word(6), word(9), word(8), mark(9), mark(12), word(13)].map(
      (entry) => ledger.take(entry),
    );
    expect(taken.map(({ fresh }) => fresh)).toEqual([
      ...[true, true, false, true, false, true, true, true],
    ]);
    expect(taken.map(({ missed }) => missed)).toEqual([0, 0, 0, 2, 0, 0, 3, 0]);
    expect(taken.map(({ first }) => first)).toEqual([true, ...Array(7).fill(false)]);
    expect([ledger.lost, ledger.duplicates]).toEqual([5, 2]);
  });

  it("keeps origins apart", () => {
    const ledger = new Ledger();
    ledger.take(mark(3));
    expect(ledger.take({ kind: "word", origin: "b", sequence: 1 })).toMatchObject({
      fresh: true,
      missed: 0,
    });
    expect(ledger.take(word(5)).missed).toBe(1);
  });
});

describe("two hosts with two gateways each", () => {
  let hosts: readonly Program[];
  let ports: number[];

  beforeAll(async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const more = ["--queue-bytes", "8000000", "--high-water-mark", "50000"];
    more.push("--groups-per-member", "2");
    // Each names itself and the other twice: neither a loop nor a second name makes duplicates.
    const peers = [`127.0.0.1:${a}`, `127.0.0.1:${b}`, `localhost:${b}`, `localhost:${a}`];
    hosts = [
      startHost({ name: "a", gateways: 2, broadcastPort: a, peers, more }),
      startHost({ name: "b", gateways: 2, broadcastPort: b, peers, more }),
    ];
    await untilConnected(hosts, 2 * 4);
    ports = await Promise.all(hosts.map(async (host) => (await host.event("ready")).port));
  });
  afterAll(async () => {
    Client.closeAll();
    await Program.killAll();
  });

  const hasHeard = (client: Client, words: string) =>
    client.heard.some(({ text }: Said) => text === words);

  it("gives 2,000 messages to each of 50 clients once, in order for each sender", async () => {
    const each = 40;
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, i) => Client.open(ports[i % 2] ?? 0)),
    );
    await Promise.all(clients.map((client, i) => client.settled(`client ${i}`)));
    // A connection that is accepted before another is settled may not have been in the room yet.
    await eventually(
      () => clients.every((client) => client.heard.length > 0),
      () => "all in the room",
    );
    for (const client of clients) client.heard.length = 0;
    for (let n = 0; n < each; n++) {
      clients.forEach((client, i) => {
        client.say({ user: `sender ${i}`, text: `${n}` });
      });
    }
    const arrived = (client: Client) =>
      client.heard.filter(({ user }: Said) => user?.startsWith("sender"));
    await eventually(
      () => clients.every((client) => client.heard.length >= 50 * each),
      () => `${clients.map((client) => client.heard.length)} of ${50 * each}`,
    );
    for (const client of clients) {
      const bySender = new Map<string, string[]>();
      for (const { user, text } of arrived(client)) {
        bySender.set(user, [...(bySender.get(user) ?? []), text]);
      }
      expect(bySender.size).toBe(50);
      for (const texts of bySender.values()) {
        expect(texts).toEqual(Array.from({ length: each }, (_, n) => `${n}`));
      }
      expect(client.heard.filter(({ notice }: Said) => notice !== undefined)).toEqual([]);
    }
    Client.closeAll();
  });

  it("has groups over all of them", async () => {
    const [ada, bob, eve] = await Promise.all([
      Client.open(ports[0] ?? 0),
      Client.open(ports[1] ?? 0),
      Client.open(ports[1] ?? 0),
    ]);
    ada.say({ user: "ada", join: "tea" });
    bob.say({ user: "bob", join: "tea" });
    await eventually(
      () => {
        eve.say({ members: "tea" });
        return eve.heard.some(({ members }: Said) => members?.toSorted().join() === "ada,bob");
      },
      () => JSON.stringify(eve.heard.at(-1)),
    );
    eve.say({ user: "eve", text: "milk?", to: "tea" });
    await Promise.all([ada, bob].map((client) => client.hears(({ text }) => text === "milk?")));
    await eve.settled("eve");
    expect(eve.heard.filter(({ to }: Said) => to !== undefined)).toEqual([]);
    // A member on either host answers the one that is no member; no other client hears it.
    for (const [name, member] of [
      ["ada", ada],
      ["bob", bob],
    ] as const) {
      const { from } = await member.hears(({ text }) => text === "milk?");
      member.say({ user: name, text: `from ${name}`, to: from });
      await eve.hears(({ text }) => text === `from ${name}`);
    }
    await Promise.all([ada.settled("ada"), bob.settled("bob")]);
    for (const { heard } of [ada, bob]) {
      expect(heard.filter(({ text }: Said) => text?.startsWith("from "))).toEqual([]);
    }
    for (const join of ["milk", "sugar"]) ada.say({ user: "ada", join });
    const { problem } = await ada.hears((said) => said.problem !== undefined);
    expect(problem).toMatch(/cannot join "sugar": .* in 2 groups/);
    Client.closeAll();
  });

  it("goes on while a worker, a broadcaster and an arbiter are killed", async () => {
    const [a, b] = hosts as [Program, Program];
    const stays = await Client.open(ports[0] ?? 0);
    await stays.settled("stays");
    const own = [0, 1].map((i) => `gateway-${i}`);

    // A worker: its clients have to come again, and find another one or its successor.
    const visitor = await Client.open(ports[1] ?? 0);
    await visitor.settled("visitor");
    for (const worker of own) killProcess(pidOf(b, worker), "SIGKILL");
    await eventually(
      () => visitor.closed,
      () => "its connection has gone",
    );
    await stays.settled("stays");
    for (const worker of own) {
      await b.event("ended", (event) => event.worker === worker && event.signal === "SIGKILL");
    }
    await eventually(
      () => accepts(ports[1] ?? 0),
      () => `port ${ports[1]} is back`,
    );
    const again = await Client.open(ports[1] ?? 0);
    await again.settled("again");

    // A broadcaster: its host is cut off until it is back; the other one goes on.
    const before = pidOf(b, "broadcaster");
    killProcess(before, "SIGKILL");
    await stays.settled("stays");
    await eventually(
      () => pidOf(b, "broadcaster") !== before,
      () => b.output,
    );
    // What is said in that moment may be lost, both ways: it is said until it arrives.
    await eventually(
      () => {
        stays.say({ user: "stays", text: "is b back?" });
        again.say({ user: "again", text: "b is back" });
        return hasHeard(again, "is b back?") && hasHeard(stays, "b is back");
      },
      () => b.output + b.errors,
    );

    // An arbiter: its workers are not restarted, so they end with it; the other host continues.
    const pids = pidsOf(b);
    b.child.kill("SIGKILL");
    await untilGone(pids);
    await stays.settled("stays");
    expect(await a.stop()).toBe(0);
    await untilGone(pidsOf(a));
    expect(a.events().filter(({ event }) => event === "ended")).toEqual([]);
  });
});
