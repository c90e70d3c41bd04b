// What one turn of an engine brings together: a handler meets connections whose end, or whose
// opening, is reported behind it. The raw sockets of these tests act while the thread is busy, so
// that all of it comes in one turn.

import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import {
  adopt,
  type Connection,
  close,
  connect,
  connectTcp,
  DefaultSelector,
  lines,
  pipe,
  pipeBoth,
  Reactor,
  recv,
  send,
  serve,
  setLinger,
  socketPair,
  toDuplex,
  write,
} from "../src/index.ts";
import { engines } from "./connections/engines.ts";
import { pattern, portOf, receiveAll, socketTo, start, until } from "./connections/pairs.ts";
import { runNode } from "./run-program.ts";

const text = (words: string) => new TextEncoder().encode(words);

/** All that the stream brings to a reader that pauses 30 ms after every chunk. */
async function readSlowly(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return Buffer.concat(chunks);
}

/** A raw socket that is connected, though the server has not accepted it yet. */
function rawTo(port: number): number {
  return connectTcp({ port });
}

function reset(fd: number): void {
  setLinger(fd, 0);
  close(fd);
}

describe.each(engines)("in one turn of %s", (_name, way) => {
  it("nothing that is meant for a connection reaches the next one of its number", async () => {
    const opened: Connection[] = [];
    let act = (): void => {};
    const server = start({ open: (one) => void opened.push(one), data: () => act() }, way);
    const [first, victim] = [rawTo(portOf(server)), rawTo(portOf(server))];
    await until(() => opened.length === 2, "both are open");
    const lost = opened[1] as Connection;
    const seen: unknown[] = [];
    act = () => {
      act = () => {};
      seen.push(lost.remoteAddress, lost.write(pattern(40_000)));
      try {
        seen.push(lost.detach());
      } catch (error) {
        seen.push((error as { code?: string }).code);
      }
    };
    send(first, text("x"));
    reset(victim);
    const next = rawTo(portOf(server));
    await until(() => opened.length === 3, "the next is open");
    expect(seen).toEqual([null, expect.any(Boolean), "ERR_CONNECTION_CLOSED"]);
    const got = new Uint8Array(100);
    opened[2]?.write("for the next");
    let length = 0;
    await until(() => {
      length = Math.max(0, recv(next, got));
      return length > 0;
    }, "the next receives");
    expect(Buffer.from(got.subarray(0, length)).toString()).toBe("for the next");
    for (const fd of [first, next]) close(fd);
  });

  it("a server that destroys its connections destroys what it has just accepted", async () => {
    let closing: Promise<void> | undefined;
    const events: string[] = [];
    const server = start(
      {
        open: () => void events.push("open"),
        data: () => {
          closing = server.close({ connections: "destroy" });
        },
        close: () => void events.push("close"),
      },
      way,
    );
    const first = rawTo(portOf(server));
    await until(() => events.length === 1, "the first is open");
    send(first, text("x"));
    const next = rawTo(portOf(server));
    await until(() => closing !== undefined, "the server is closing");
    await closing;
    expect(server.connections).toBe(0);
    expect(events.filter((word) => word === "close")).toHaveLength(events.length / 2);
    for (const fd of [first, next]) close(fd);
  });

  it("a stream that both sides have ended is read to its end, however slowly", async () => {
    const sent = pattern(3 * 16_384);
    const server = start(
      {
        data(connection) {
          connection.write(sent);
          connection.end();
        },
      },
      way,
    );
    const stream = toDuplex(await connect({ port: portOf(server), ...way }, {}));
    stream.end("a request");
    expect((await readSlowly(stream)).equals(sent)).toBe(true);
    if (!stream.closed) await once(stream, "close");
  });

  it("a stream that may not write, or wrote before, is read to its end", async () => {
    const sent = pattern(3 * 16_384);
    const ends = { open: (connection: Connection) => connection.end(sent) };
    const server = start(ends, { ...way, allowHalfOpen: true });
    const connection = await connect({ port: portOf(server), ...way }, {});
    connection.end("before it was a stream");
    const streams = [toDuplex(connection)];
    if (way.engine !== "io_uring") {
      const [reader, writer] = pipe();
      const both = adopt(reader, {}, way);
      write(writer, sent);
      close(writer);
      streams.push(toDuplex(both));
    }
    for (const stream of streams) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect((await readSlowly(stream)).equals(sent)).toBe(true);
      if (!stream.closed) await once(stream, "close");
    }
  });

  it("frames that end with what was received leave nothing for the next handlers", async () => {
    const got: string[] = [];
    const next: number[] = [];
    const handlers = lines({
      onLine(connection, line) {
        got.push(line);
        connection.pause();
        setImmediate(() => {
          connection.setHandlers({ data: (_, bytes) => void next.push(bytes.length) });
          connection.resume();
        });
      },
    });
    const peer = await socketTo(start(handlers, way));
    peer.write("one line\n");
    await until(() => got.length === 1, "a line");
    await new Promise((resolve) => setTimeout(resolve, 20));
    peer.write("more");
    await until(() => next.length > 0, "more");
    expect({ got, next }).toEqual({ got: ["one line"], next: [4] });
  });

  it("a descriptor that was detached and closed ends for its peer at once", async () => {
    const opened: Connection[] = [];
    const server = start({ open: (one) => void opened.push(one), data: () => {} }, way);
    const peer = await socketTo(server);
    const ended = receiveAll(peer);
    await until(() => opened.length === 1, "it is open");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { fd } = (opened[0] as Connection).detach();
    close(fd);
    expect(await ended).toHaveLength(0);
  });

  it("an idle timeout that a handler sets, or an adopted connection has, fires", async () => {
    const idle: string[] = [];
    const server = start(
      {
        open: (connection) => connection.setTimeout(20),
        data: () => {},
        idle(connection) {
          idle.push("accepted");
          connection.setTimeout(0);
        },
      },
      way,
    );
    const port = portOf(server);
    const ours = await connect(
      { port, idleTimeoutMs: 30, ...way },
      {
        data: () => {},
        idle(connection) {
          // Not before the server has accepted it and it was idle there, too.
          if (idle.length === 0) return;
          idle.push("connected");
          connection.destroy();
        },
      },
    );
    await until(() => idle.length === 2, "both are idle");
    expect(idle.toSorted()).toEqual(["accepted", "connected"]);
    expect(ours.closed).toBe(true);
  });

  it("what is sent between two turns counts as activity", async () => {
    let idleAtMs = 0;
    const server = start({ data: () => {} }, way);
    const ours = await connect(
      { port: portOf(server), idleTimeoutMs: 400, ...way },
      {
        data: () => {},
        idle(connection) {
          idleAtMs = performance.now();
          connection.destroy();
        },
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    const sentAtMs = performance.now();
    ours.write("ping");
    await until(() => idleAtMs > 0, "it is idle");
    expect(idleAtMs - sentAtMs).toBeGreaterThan(350);
  });

  it("pipeBoth rejects when one side is destroyed after its end", async () => {
    const accepted: Connection[] = [];
    const server = start({ open: (one) => void accepted.push(one) }, way);
    const [ours, theirs] = [
      await connect({ port: portOf(server), ...way }, {}),
      await connect({ port: portOf(server), ...way }, {}),
    ];
    await until(() => accepted.length === 2, "both are open");
    const [a, b] = accepted as [Connection, Connection];
    const piped = pipeBoth(a, b).catch((error: NodeJS.ErrnoException) => error.code);
    ours.end();
    await until(() => !b.writable, "the end is passed on");
    a.destroy();
    theirs.write(pattern(100_000));
    expect(await piped).toBe("ERR_STREAM_PREMATURE_CLOSE");
    expect(b.closed).toBe(true);
    theirs.destroy();
  });

  it("a server for no connections accepts none until it may", async () => {
    let opened = 0;
    const server = start({ open: () => void opened++ }, { ...way, maxConnections: 0 });
    const fd = rawTo(portOf(server));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(opened).toBe(0);
    close(fd);
  });

  it("connections that never received can be destroyed", async () => {
    let closed = 0;
    const opened: Connection[] = [];
    const server = start({ open: (one) => void opened.push(one), close: () => void closed++ }, way);
    const peers = Array.from({ length: 60 }, () => rawTo(portOf(server)));
    await until(() => opened.length === peers.length, "all are open");
    for (const connection of opened) connection.destroy();
    await until(() => closed === peers.length, "all are closed");
    for (const fd of peers) close(fd);
  });
});

describe("the engine of a Reactor", () => {
  it("goes with its Reactor", async () => {
    const program = `
      import { readdirSync } from "node:fs";
      const io = await import("./dist/src/index.js");
      const count = () => readdirSync("/dev/fd").length;
      async function serveOnce() {
        const selector = new io.DefaultSelector();
        const reactor = new io.Reactor(selector);
        const server = io.serve({ reactor }, { data() {} });
        const closing = server.close();
        for (let i = 0; i < 3; i++) reactor.handleEvents(0);
        await closing;
        selector.close();
      }
      await serveOnce();
      const before = count();
      for (let i = 0; i < 50; i++) await serveOnce();
      for (let i = 0; i < 20 && count() > before; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      process.exit(count() <= before ? 0 : 1);`;
    const words = ["--expose-gc", "--input-type=module", "-e", program];
    expect((await runNode(words, 60_000)).status).toBe(0);
  });
});

describe("an adoption that is refused", () => {
  it("keeps nothing alive", async () => {
    const program = `
      import { openSync } from "node:fs";
      const io = await import("./dist/src/index.js");
      try {
        io.adopt(openSync("package.json"), { data() {} });
        process.exit(3);
      } catch {}
      io.serve({}, { data() {} }).unref();`;
    const { status } = await runNode(["--input-type=module", "-e", program], 20_000);
    expect(status).toBe(0);
  });
});

describe("a server whose socket cannot be removed", () => {
  it("closes all the same, and warns", async () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
    const path = join(folder, "socket");
    const server = start({}, { path });
    rmSync(path);
    mkdirSync(path);
    const warned = once(process, "warning");
    await server.close();
    const [warning] = await warned;
    expect(String(warning)).toContain(`the socket "${path}" stays: `);
    rmSync(folder, { recursive: true });
  });
});

describe.runIf(new DefaultSelector().capabilities.asyncWait === "nested")(
  "a handler or task that runs the Reactor of its connections",
  () => {
    it("sends what was written before and in it", () => {
      const reactor = new Reactor(new DefaultSelector());
      const [fd, peer] = socketPair();
      const connection = adopt(fd, { data() {} }, { reactor });
      for (let i = 0; i < 3; i++) reactor.handleEvents(0);
      let received = 0;
      reactor.post(() => {
        connection.write(text("within"));
        for (let i = 0; i < 3; i++) reactor.handleEvents(10);
        received = recv(peer, new Uint8Array(64));
      });
      connection.write(text("before"));
      reactor.handleEvents(0);
      expect(received).toBe("beforewithin".length);
      connection.destroy();
      for (let i = 0; i < 3; i++) reactor.handleEvents(10);
      close(peer);
    });

    it("loses no bytes of the others of its turn", async () => {
      const reactor = new Reactor(new DefaultSelector());
      const got = new Map<Connection, string>();
      let nested = false;
      const server = serve(
        { reactor },
        {
          open: (connection) => void got.set(connection, ""),
          data(connection, bytes) {
            got.set(connection, `${got.get(connection)}${Buffer.from(bytes).toString()}`);
            if (nested) return;
            nested = true;
            for (const fd of late) send(fd, text("late"));
            reactor.handleEvents(0);
          },
        },
      );
      const late = [rawTo(portOf(server)), rawTo(portOf(server))];
      const early = [rawTo(portOf(server)), rawTo(portOf(server))];
      while (got.size < 4) reactor.handleEvents(10);
      for (const fd of early) send(fd, text("early"));
      const words = () => [...got.values()].join("");
      while (words().length < "earlyearlylatelate".length) reactor.handleEvents(10);
      expect([...got.values()].sort()).toEqual(["early", "early", "late", "late"]);
      const closing = server.close({ connections: "destroy" });
      while (server.connections > 0) reactor.handleEvents(10);
      await closing;
      for (const fd of [...late, ...early]) close(fd);
    });
  },
);

describe("a thread that blocks in handleEvents()", () => {
  /** Serves one peer that sends `bytes` and ends, until the server has no connection any more. */
  const said = async (bytes: string, handlers: string) => {
    const program = `
      const io = await import("./dist/src/index.js");
      const said = [];
      process.on("uncaughtException", () => said.push("raised"));
      const reactor = new io.Reactor(new io.DefaultSelector());
      const server = io.serve({ reactor }, ${handlers});
      const peer = io.connectTcp({ port: server.address.port });
      while (server.connections === 0) reactor.handleEvents(10);
      io.send(peer, Buffer.from(${JSON.stringify(bytes)}));
      io.shutdown(peer, "write");
      const endMs = performance.now() + 20_000;
      while (server.connections > 0 && performance.now() < endMs) reactor.handleEvents(10);
      process.stdout.write(said.join(), () => process.exit());
    `;
    return (await runNode(["--input-type=module", "-e", program], 60_000)).stdout;
  };

  it("delivers what a pause has kept back, and the end", async () => {
    const handlers = `io.lines({
      onLine(connection, line) {
        said.push(line);
        connection.pause();
        reactor.setTimer(5, () => connection.resume());
      },
      close: () => said.push("closed"),
    })`;
    expect(await said("a\nb\nlast", handlers)).toBe("a,b,last,closed");
  });

  it("raises what a handler throws, whatever it is", async () => {
    const handlers = `{
      data() { throw Object.create(null); },
      close: (_connection, error) => said.push(error.message),
    }`;
    expect(await said("x", handlers)).toBe("raised,a handler threw a value that is not an Error");
  });
});
