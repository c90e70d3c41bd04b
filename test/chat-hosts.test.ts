// The chat over three hosts: in network namespaces if root permissions are available, else on three
// addresses of loopback. Everything arrives once and in order. A broadcaster that is killed and
// restarted loses messages, and each client can count exactly how many.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAlive } from "../bench/host/processes.ts";
import { killProcess } from "./bench-processes.ts";
import { freePorts, Namespaces, pidOf, pidsOf, startHost, untilConnected } from "./chat-hosts.ts";
import { eventually, Program } from "./chat-processes.ts";

const HOSTS = 3;

describe("three hosts", () => {
  let namespaces: Namespaces | null;
  let hosts: Program[];
  let clients: Program[];

  const inside = (i: number) => namespaces?.inside(i) ?? [];

  beforeAll(async () => {
    namespaces = Namespaces.create(HOSTS);
    const ports = namespaces === null ? await freePorts(HOSTS) : Array(HOSTS).fill(7001);
    const address = (i: number) => namespaces?.address(i) ?? `127.0.0.${i + 1}`;
    const all = ports.map((port, i) => `${address(i)}:${port}`);
    hosts = ports.map((broadcastPort, i) => {
      const peers = all.filter((_, other) => other !== i);
      const place = { inside: inside(i), broadcastHost: address(i), broadcastPort, peers };
      return startHost({ name: `host${i}`, gateways: 1, ...place });
    });
    await untilConnected(hosts, HOSTS);
    clients = await Promise.all(
      hosts.map(async (host, i) => {
        const { port } = await host.event("ready");
        const [command = "", ...args] = [...inside(i), process.execPath];
        const client = `dist/examples/chat-client.js 127.0.0.1:${port} user${i}`;
        return new Program(command, [...args, ...client.split(" ")]);
      }),
    );
    await everybodyHears("hello");
  });
  afterAll(async () => {
    const pids = hosts?.flatMap(pidsOf) ?? [];
    await Promise.all(hosts?.map((host) => host.stop()) ?? []);
    await Program.killAll();
    namespaces?.remove();
    expect(pids.filter(isAlive)).toEqual([]);
  });

  const spoken = Array<number>(HOSTS).fill(0);
  const say = (i: number, text: string) => {
    clients[i]?.child.stdin?.write(`${text}\n`);
    spoken[i] = (spoken[i] ?? 0) + 1;
  };
  const lines = (i: number, sender: number) =>
    clients[i]?.output.split("\n").filter((line) => line.startsWith(`user${sender}: `)) ?? [];

  /** Each says it once per turn until each has heard it from all. */
  async function everybodyHears(text: string): Promise<void> {
    let turn = 0;
    await eventually(
      () => {
        if (turn++ % 20 === 0) for (let i = 0; i < HOSTS; i++) say(i, text);
        const pairs = clients.flatMap((_, i) => clients.map((_, sender) => lines(i, sender)));
        return pairs.every((heard) =>
          heard.includes(heard.find((line) => line.endsWith(text)) ?? "-"),
        );
      },
      () => clients.map(({ output }) => output.slice(-300)).join("\n---\n"),
    );
  }

  it("hear everything once and in order", async () => {
    const texts = Array.from({ length: 300 }, (_, n) => `n${n}`);
    for (let i = 0; i < HOSTS; i++) for (const text of texts) say(i, text);
    for (let i = 0; i < HOSTS; i++) {
      for (let sender = 0; sender < HOSTS; sender++) {
        await eventually(
          () => lines(i, sender).at(-1)?.endsWith(": n299"),
          () => `${i} hears ${sender}: ${lines(i, sender).at(-1)}`,
        );
        const heard = lines(i, sender).filter((line) => /: n\d+$/.test(line));
        expect(heard).toEqual(texts.map((text) => `user${sender}: ${text}`));
      }
    }
  });

  it("say how much was lost while a broadcaster was killed and came back", async () => {
    const host = hosts[1] as Program;
    const killed = pidOf(host, "broadcaster");
    const before = hosts.map((_, i) => hosts.map((_, sender) => lines(i, sender).length));
    const spokenBefore = [...spoken];
    let said = 0;
    const talk = () => {
      for (let i = 0; i < HOSTS; i++) say(i, `m${said}`);
      said++;
    };
    for (let n = 0; n < 200; n++) talk();
    killProcess(killed, "SIGKILL");
    await eventually(
      () => {
        talk();
        return pidOf(host, "broadcaster") !== killed;
      },
      () => host.output,
    );
    await everybodyHears("back");
    for (let i = 0; i < HOSTS; i++) {
      for (let sender = 0; sender < HOSTS; sender++) {
        const came = () => lines(i, sender).slice(before[i]?.[sender]);
        const expected = (spoken[sender] ?? 0) - (spokenBefore[sender] ?? 0);
        // Exactly: the marks find the loss of the last ones, too.
        await eventually(
          () => came().length + lostBy(i, sender) === expected,
          () => `${i} from ${sender}: ${came().length} and ${lostBy(i, sender)} of ${expected}`,
        );
        const order = came().flatMap((line) => /: m(\d+)$/.exec(line)?.[1] ?? []);
        expect(order).toEqual([...new Set(order)].toSorted((l, r) => Number(l) - Number(r)));
      }
    }
    // The two that were not touched have lost nothing of one another; the third was cut off.
    expect([lostBy(0, 2), lostBy(2, 0), lostBy(0, 0), lostBy(2, 2)]).toEqual([0, 0, 0, 0]);
    expect(lostBy(1, 0) + lostBy(1, 2)).toBeGreaterThan(0);
  });

  /** What client `i` was told that it has lost of a host's words. */
  function lostBy(i: number, sender: number): number {
    const told = clients[i]?.output ?? "";
    const notices = told.matchAll(new RegExp(`^! (\\d+) messages from host${sender}/`, "gm"));
    return [...notices].reduce((sum, [, count]) => sum + Number(count), 0);
  }
});
