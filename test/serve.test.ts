// serve and Connection: what a server in ten lines may rely on, with real sockets as its peers.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  availableBackends,
  type Connection,
  type ConnectionHandlers,
  DefaultSelector,
  Reactor,
  type ServeOptions,
  type Server,
  serve,
} from "../src/index.ts";
import { eventually } from "./eventually.ts";

const servers: Server[] = [];
const peers: Socket[] = [];

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy();
  for (const server of servers.splice(0)) await server.close({ connections: "destroy" });
});

let served: ServeOptions = {};

function start(handlers: ConnectionHandlers, options: ServeOptions = {}): Server {
  const server = serve({ ...served, ...options }, handlers);
  servers.push(server);
  return server;
}

async function peerOf(server: Server, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const peer = connect({ port: server.address?.port ?? 0, host: "127.0.0.1", ...options });
  peers.push(peer);
  await once(peer, "connect");
  return peer;
}

/** Everything that a peer receives until its end. */
async function receiveAll(peer: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  peer.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(peer, "end");
  return Buffer.concat(chunks);
}

function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

const echo: ConnectionHandlers = {
  data(connection, bytes) {
    connection.write(bytes);
  },
};

const engines: readonly ServeOptions[] = [
  ...availableBackends()
    .filter(({ available }) => available)
    .map(({ name }) => ({ engine: "readiness" as const, backend: name })),
  ...(availableBackends().some(({ name, available }) => name === "io_uring" && available)
    ? [{ engine: "io_uring" as const }]
    : []),
];

describe.each(engines)("serve by %j", (engine) => {
  beforeAll(() => {
    served = engine;
  });

  it("echoes every byte in order", async () => {
    const peer = await peerOf(start(echo));
    const sent = pattern(5_000_000);
    const received = receiveAll(peer);
    peer.end(sent);
    expect((await received).equals(sent)).toBe(true);
  });

  it("tells the address on which it listens, and the peer's", async () => {
    const opened = vi.fn<(connection: Connection) => void>();
    const server = start({ open: opened });
    const peer = await peerOf(server);
    await eventually(() => expect(opened).toHaveBeenCalledOnce());
    const connection = opened.mock.calls[0]?.[0] as Connection;
    expect(String(server.address)).toBe(`127.0.0.1:${peer.remotePort}`);
    expect(connection.remoteAddress?.port).toBe(peer.localPort);
    expect(connection.localAddress?.port).toBe(peer.remotePort);
  });

  it("ends with its peer, and calls close once, last, without an error", async () => {
    const calls: string[] = [];
    const server = start({
      open: () => void calls.push("open"),
      data: (_connection, bytes) => void calls.push(Buffer.from(bytes).toString()),
      end: () => void calls.push("end"),
      close: (connection, error) => void calls.push(`close ${error} ${connection.closed}`),
    });
    const peer = await peerOf(server);
    peer.end("hello");
    await once(peer, "close");
    await eventually(() => expect(server.connections).toBe(0));
    expect(calls).toEqual(["open", "hello", "end", "close null true"]);
  });

  it("joins the writes of one turn", async () => {
    const server = start({
      data(connection) {
        for (let i = 0; i < 100; i++) connection.write(`${i},`);
        connection.end();
      },
    });
    const peer = await peerOf(server);
    const received = receiveAll(peer);
    peer.write("go");
    expect((await received).toString()).toBe(
      Array.from({ length: 100 }, (_, i) => `${i},`).join(""),
    );
  });

  it("keeps what a slow peer does not take, and calls drain", async () => {
    const drained = vi.fn();
    const total = 8_000_000;
    let sent = 0;
    const server = start({
      open(connection) {
        this.drain?.(connection);
      },
      drain(connection) {
        drained();
        while (sent < total) {
          const chunk = pattern(100_000);
          sent += chunk.length;
          if (!connection.write(chunk)) break;
        }
        if (sent >= total) connection.end();
      },
    });
    const peer = await peerOf(server);
    peer.pause();
    await eventually(() => expect(sent).toBeGreaterThan(0));
    expect(sent).toBeLessThan(total);
    const received = receiveAll(peer);
    peer.resume();
    expect((await received).length).toBe(total);
    expect(drained.mock.calls.length).toBeGreaterThan(1);
  });

  it("holds back a peer that sends and does not read", async () => {
    let connection: Connection | undefined;
    const highWaterMark = 100_000;
    const open = (opened: Connection) => {
      connection = opened;
    };
    const server = start({ ...echo, open }, { highWaterMark });
    const peer = await peerOf(server);
    peer.pause();
    const sent = pattern(30_000_000);
    peer.end(sent);
    const lowWaterMark = highWaterMark / 4;
    await eventually(() => expect(connection?.bufferedBytes).toBeGreaterThan(lowWaterMark));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(connection?.bufferedBytes).toBeGreaterThan(lowWaterMark);
    expect(connection?.bufferedBytes).toBeLessThanOrEqual(highWaterMark + 64 * 1024);
    const received = receiveAll(peer);
    peer.resume();
    expect((await received).equals(sent)).toBe(true);
  });

  it("closes the connection whose handler throws, and no other", async () => {
    const error = vi.fn();
    const close = vi.fn();
    const server = start({
      data(connection, bytes) {
        if (bytes[0] === 33) throw new Error("exclamation");
        connection.write(bytes);
      },
      error,
      close,
    });
    const [bad, good] = [await peerOf(server), await peerOf(server)];
    bad.write("!");
    await once(bad, "close");
    expect(error.mock.calls[0]?.[1]).toMatchObject({ message: "exclamation" });
    await eventually(() => expect(close).toHaveBeenCalledOnce());
    expect(close.mock.calls[0]?.[1]).toMatchObject({ message: "exclamation" });
    good.write("still here");
    expect(String((await once(good, "data"))[0])).toBe("still here");
  });

  it("is destroyed inside its own handler", async () => {
    const calls: string[] = [];
    const server = start({
      data(connection) {
        calls.push("data");
        connection.destroy();
        calls.push(String(connection.write("discarded")));
      },
      close: (_connection, error) => void calls.push(`close ${error}`),
    });
    const peer = await peerOf(server);
    peer.write("a");
    await once(peer, "close");
    await eventually(() => expect(calls).toEqual(["data", "false", "close null"]));
  });

  it("throws where it is written to after its end", async () => {
    const thrown: unknown[] = [];
    const server = start({
      open(connection) {
        connection.end("bye");
        try {
          connection.write("more");
        } catch (error) {
          thrown.push(error);
        }
      },
    });
    const peer = await peerOf(server);
    expect((await receiveAll(peer)).toString()).toBe("bye");
    expect(thrown).toMatchObject([{ code: "ERR_STREAM_WRITE_AFTER_END" }]);
  });

  it("goes on sending after the peer's end with allowHalfOpen", async () => {
    const server = start(
      {
        data() {},
        end: (connection) => void setTimeout(() => connection.end("the last word"), 20),
      },
      { allowHalfOpen: true },
    );
    const peer = await peerOf(server, { allowHalfOpen: true });
    const received = receiveAll(peer);
    peer.end("nothing more");
    expect((await received).toString()).toBe("the last word");
  });

  it("delivers nothing while it is paused, and everything after", async () => {
    const received: Buffer[] = [];
    let connection: Connection | undefined;
    const server = start({
      open: (opened) => {
        connection = opened;
      },
      data(paused, bytes) {
        received.push(Buffer.from(bytes));
        paused.pause();
      },
    });
    const peer = await peerOf(server);
    peer.write("one");
    await eventually(() => expect(received.length).toBe(1));
    peer.end("two");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(received.length).toBe(1);
    connection?.resume();
    await eventually(() => expect(Buffer.concat(received).toString()).toBe("onetwo"));
    connection?.resume();
    await eventually(() => expect(server.connections).toBe(0));
  });

  it("is iterated", async () => {
    const chunks: string[] = [];
    const server = start({
      async open(connection) {
        for await (const bytes of connection) {
          chunks.push(Buffer.from(bytes).toString());
          connection.write(bytes);
        }
        chunks.push("done");
      },
    });
    const peer = await peerOf(server);
    const received = receiveAll(peer);
    peer.end("through a loop");
    expect((await received).toString()).toBe("through a loop");
    await eventually(() => expect(chunks.at(-1)).toBe("done"));
  });

  it("waits with what exceeds maxConnections", async () => {
    const opened: Connection[] = [];
    const server = start({ open: (c) => void opened.push(c), data() {} }, { maxConnections: 2 });
    const all = [await peerOf(server), await peerOf(server), await peerOf(server)];
    await eventually(() => expect(opened.length).toBe(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.connections).toBe(2);
    all[0]?.destroy();
    await eventually(() => expect(opened.length).toBe(3));
    expect(server.connections).toBe(2);
  });

  it("destroys what is idle, and calls idle if there is a handler", async () => {
    const close = vi.fn();
    const idle = vi.fn((connection: Connection) => connection.end("too slow"));
    const silent = start({ data() {}, close }, { idleTimeoutMs: 40 });
    await once(await peerOf(silent), "close");
    await eventually(() => expect(close).toHaveBeenCalledOnce());
    expect(close.mock.calls[0]?.[1]).toMatchObject({ code: "ERR_CONNECTION_IDLE" });
    const asked = start({ data() {}, idle }, { idleTimeoutMs: 40 });
    expect((await receiveAll(await peerOf(asked))).toString()).toBe("too slow");
    expect(idle).toHaveBeenCalled();
  });

  it("refuses connections after close, and resolves when the last one has closed", async () => {
    const server = start(echo);
    const peer = await peerOf(server);
    await eventually(() => expect(server.connections).toBe(1));
    const port = server.address?.port ?? 0;
    let closed = false;
    const closing = server.close().then(() => {
      closed = true;
    });
    // Completions stop accepting a moment later, and reset what came in between.
    const refused = async () => (await once(connect(port, "127.0.0.1"), "error"))[0].code;
    await eventually(async () => expect(await refused()).toBe("ECONNREFUSED"));
    peer.write("still served");
    expect(String((await once(peer, "data"))[0])).toBe("still served");
    expect(closed).toBe(false);
    peer.end();
    await closing;
  });

  it("destroys its connections where that is asked for", async () => {
    const close = vi.fn();
    const server = start({ data() {}, close });
    const peer = await peerOf(server);
    await eventually(() => expect(server.connections).toBe(1));
    const gone = once(peer, "close");
    await server.close({ connections: "destroy" });
    await gone;
    expect(close).toHaveBeenCalledOnce();
  });

  it("serves again inside a handler", async () => {
    const inner: Server[] = [];
    const outer = start({
      data(connection) {
        inner.push(start(echo));
        connection.end(String(inner[0]?.address?.port));
      },
    });
    const peer = await peerOf(outer);
    const received = receiveAll(peer);
    peer.write("where?");
    expect((await received).toString()).toBe(String(inner[0]?.address?.port));
    const second = await peerOf(inner[0] as Server);
    second.write("here");
    expect(String((await once(second, "data"))[0])).toBe("here");
  });

  it("listens on what a name stands for", async () => {
    const server = start(echo, { host: "localhost" });
    expect(server.address).toBeNull();
    await server.ready;
    const peer = connect(server.address?.port ?? 0, "localhost");
    peers.push(peer);
    peer.write("named");
    expect(String((await once(peer, "data"))[0])).toBe("named");
  });

  it("may be closed before its name is known", async () => {
    const server = start(echo, { host: "no-such-host.invalid" });
    await server.close();
    await server.ready; // which a program that closes it does not wait for
    expect(server.address).toBeNull();
  });

  it("listens on a Unix path, and removes it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "socket");
    const server = start(echo, { path });
    const peer = connect(path);
    peers.push(peer);
    peer.write("by path");
    expect(String((await once(peer, "data"))[0])).toBe("by path");
    await server.close({ connections: "destroy" });
    const late = connect(path);
    expect((await once(late, "error"))[0]).toMatchObject({ code: "ENOENT" });
  });

  it("gives its descriptor back, with what was received and not delivered", async () => {
    const detached: { fd: number; unread: Uint8Array }[] = [];
    const close = vi.fn();
    const server = start({ data: (connection) => void detached.push(connection.detach()), close });
    const peer = await peerOf(server);
    peer.write("hand over");
    await eventually(() => expect(detached.length).toBe(1));
    expect(server.connections).toBe(0);
    expect(close).not.toHaveBeenCalled();
    const { close: closeFd, send } = await import("../src/index.ts");
    send(detached[0]?.fd ?? -1, Buffer.from("mine"));
    expect(String((await once(peer, "data"))[0])).toBe("mine");
    closeFd(detached[0]?.fd ?? -1);
  });

  it("is served by a Reactor's turns, and by nothing else", async () => {
    const { backend, engine: kind } = engine;
    const selector = new DefaultSelector();
    const reactor = new Reactor(selector);
    try {
      if (backend === "select" || backend === "poll") {
        expect(() => start(echo, { reactor })).toThrow(/cannot watch/);
        return;
      }
      const opened = vi.fn();
      const server = serve(
        { ...engine, reactor, idleTimeoutMs: 10_000 },
        { ...echo, open: opened },
      );
      const peer = await peerOf(server);
      peer.write("in its turns");
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(opened, `${kind}`).not.toHaveBeenCalled();
      const received = once(peer, "data");
      const turns = setInterval(() => reactor.handleEvents(0), 1);
      expect(String((await received)[0])).toBe("in its turns");
      await server.close({ connections: "destroy" });
      clearInterval(turns);
      expect(reactor.size).toBe(0);
    } finally {
      selector.close();
    }
  });

  it("goes on where a handler transfers what it was given", async () => {
    const peer = await peerOf(
      start({
        data(connection, bytes) {
          connection.write(bytes);
          try {
            structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
          } catch {
            // Node 22 and newer refuse it.
          }
        },
      }),
    );
    for (const text of ["one", "two", "three"]) {
      peer.write(text);
      expect(String((await once(peer, "data"))[0])).toBe(text);
    }
  });

  it.each([
    [{ port: 1, path: "/x" }, "ERR_INVALID_ARG_VALUE"],
    [{ port: 70_000 }, "ERR_INVALID_ARG_VALUE"],
    [{ engine: "magic" }, "ERR_INVALID_ARG_VALUE"],
    [{ reactor: {} }, "ERR_INVALID_ARG_TYPE"],
    [{ highWaterMark: -1 }, "ERR_INVALID_ARG_VALUE"],
    [{ highWaterMark: 10, lowWaterMark: 11 }, "ERR_INVALID_ARG_VALUE"],
    [{ idleTimeoutMs: Number.NaN }, "ERR_INVALID_ARG_VALUE"],
    [{ maxConnections: 1.5 }, "ERR_INVALID_ARG_VALUE"],
    [{ host: "192.0.2.1" }, "EADDRNOTAVAIL"],
  ])("refuses %j", (options, code) => {
    expect(() => serve(options as never, {})).toThrow(expect.objectContaining({ code }));
  });
});
