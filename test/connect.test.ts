// connect, adopt, pipeBoth, and connections as streams, by every engine of this machine.

import { once } from "node:events";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createSecureContext, TLSSocket } from "node:tls";
import { createGunzip, createGzip } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  adopt,
  type Connection,
  close,
  connect,
  openPty,
  pipe,
  pipeBoth,
  setLinger,
  socketPair,
  toDuplex,
  toWebStreams,
  write,
} from "../src/index.ts";
import { engines, missingEngines } from "./connections/engines.ts";
import {
  connectionTo,
  echo,
  pattern,
  portOf,
  receiveAll,
  socketTo,
  start,
  until,
} from "./connections/pairs.ts";

describe.each(engines)("by %s", (_name, way) => {
  it("connects, sends and receives", async () => {
    const server = start(echo, way);
    let got = "";
    let opened = 0;
    const connection = await connectionTo(
      server,
      {
        open: () => void opened++,
        data: (_c, bytes) => {
          got += Buffer.from(bytes);
        },
      },
      { ...way, host: "localhost" },
    );
    expect(opened).toBe(1);
    expect(connection.remoteAddress?.port).toBe(portOf(server));
    connection.write("hello");
    await until(() => got === "hello", "the echo");
  });

  it("is destroyed at the end of its scope with `using`", async () => {
    const ended: boolean[] = [];
    const handlers = {
      ...echo,
      close: (_c: unknown, error: Error | null) => ended.push(error === null),
    };
    const server = start(handlers, way);
    const leave = async () => {
      using connection = await connectionTo(server, {}, way);
      expect(connection.closed).toBe(false);
      return connection;
    };
    expect((await leave()).closed).toBe(true);
    await until(() => ended.length === 1, "the server to see the end");
  });

  it("keeps bytes that arrive before the program reads", async () => {
    const server = start({ open: (connection) => connection.end("early") }, way);
    const connection = await connectionTo(server, {}, way);
    await new Promise((resolve) => setTimeout(resolve, 20));
    let got = "";
    for await (const chunk of connection) got += Buffer.from(chunk);
    expect(got).toBe("early");
  });

  it("calls what the peer resets an error, once", async () => {
    const reasons: (Error | null)[] = [];
    const server = start({ open() {}, data() {} }, way);
    const closing = {
      data() {},
      close: (_c: Connection, error: Error | null) => reasons.push(error),
    };
    const watched = start(closing, way);
    const socket = await socketTo(watched);
    socket.resetAndDestroy();
    await until(() => reasons.length > 0, "the reset");
    expect(reasons).toMatchObject([{ code: "ECONNRESET", syscall: "read" }]);
    expect(server.connections).toBe(0);
  });

  it("adopts sockets, pipes and terminals", async () => {
    const [a, b] = socketPair();
    const { controller, terminal } = openPty();
    const [reader, writer] = pipe();
    const got: Record<string, string> = { socket: "", terminal: "", pipe: "" };
    const closed: string[] = [];
    const collect = (name: string) => ({
      data: (_c: Connection, bytes: Uint8Array) => {
        got[name] = `${got[name]}${Buffer.from(bytes)}`;
      },
      close: (_c: Connection, error: Error | null) => closed.push(`${name} ${error}`),
    });
    if (way.engine !== "io_uring") {
      adopt(controller, collect("terminal"), way);
      adopt(reader, collect("pipe"), way);
    } else for (const fd of [controller, reader]) close(fd);
    adopt(b, collect("socket"), way);
    const sender = adopt(a, {}, way);
    sender.end("over the socket");
    write(terminal, Buffer.from("over the terminal"));
    write(writer, Buffer.from("over the pipe"));
    for (const fd of [terminal, writer]) close(fd);
    const names = way.engine === "io_uring" ? ["socket"] : ["pipe", "socket", "terminal"];
    await until(() => closed.length === names.length, "the ends");
    expect(closed.sort()).toEqual(names.map((name) => `${name} null`));
    for (const name of names) expect(got[name]).toBe(`over the ${name}`);
  });

  it("pipes both ways, counts, and passes ends on", async () => {
    const upstream = start(
      { ...echo, end: (connection) => connection.end("!") },
      {
        ...way,
        allowHalfOpen: true,
      },
    );
    let piped: Promise<unknown> | undefined;
    const proxy = start(
      {
        async open(client) {
          piped = pipeBoth(client, await connectionTo(upstream, {}, way));
        },
      },
      { ...way, allowHalfOpen: true },
    );
    const socket = await socketTo(proxy);
    const sent = pattern(5_000_000);
    const received = receiveAll(socket);
    socket.end(sent);
    expect((await received).equals(Buffer.concat([sent, Buffer.from("!")]))).toBe(true);
    expect(await piped).toEqual({ aToB: sent.length, bToA: sent.length + 1 });
  });

  it("destroys the other side of a pipe that breaks", async () => {
    const closed: string[] = [];
    const upstream = start({ ...echo, close: () => void closed.push("upstream") }, way);
    const piped: Promise<unknown>[] = [];
    const proxy = start(
      {
        async open(client) {
          piped.push(pipeBoth(client, await connectionTo(upstream, {}, way)));
        },
        close: () => void closed.push("client"),
      },
      way,
    );
    const socket = await socketTo(proxy);
    socket.write("x");
    await once(socket, "data");
    socket.resetAndDestroy();
    await expect(piped[0]).rejects.toMatchObject({ code: "ECONNRESET" });
    await until(() => closed.length === 2, "both closes");
    expect(closed.sort()).toEqual(["client", "upstream"]);
  });

  it("says at each side of a pipe why it broke", async () => {
    const reasons: unknown[] = [];
    const upstream = start({ data: (connection) => void reset(connection) }, way);
    const reset = (connection: Connection) => {
      const { fd } = connection.detach();
      setLinger(fd, 0);
      close(fd);
    };
    const piped: Promise<unknown>[] = [];
    const proxy = start(
      {
        async open(client) {
          const both = pipeBoth(client, await connectionTo(upstream, {}, way));
          piped.push(both.catch((error: unknown) => error));
        },
        close: (_client, error) => void reasons.push((error as NodeJS.ErrnoException)?.code),
      },
      way,
    );
    const socket = await socketTo(proxy);
    socket.on("error", () => {}).write("x");
    await until(() => reasons.length === 1, "the close of the client");
    expect(await piped[0]).toMatchObject({ code: "ECONNRESET" });
    expect(reasons).toEqual(["ECONNRESET"]);
  });

  it("calls `idle` after a part of a millisecond, too", async () => {
    const server = start({ data() {} }, way);
    let idle = 0;
    const handlers = { data() {}, idle: () => void idle++ };
    await connectionTo(server, handlers, { ...way, idleTimeoutMs: 0.5 });
    await until(() => idle > 0, "the idle time");
  });

  it("refuses what are no handlers", async () => {
    const server = start({ data() {} }, way);
    const connection = await connectionTo(server, {}, way);
    for (const wrong of [null, "data", { data: 5 }]) {
      expect(() => connection.setHandlers(wrong as never)).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }),
      );
    }
  });

  it("cannot be detached while bytes wait that its peer does not take", async () => {
    const server = start({ open: (connection) => connection.pause() }, way);
    const connection = await connectionTo(server, {}, way);
    const busy = expect.objectContaining({ code: "ERR_CONNECTION_BUSY" });
    // In this turn, and once the engine has reported what is queued.
    while (connection.bufferedBytes < 16 << 20) connection.write(pattern(16_000));
    expect(() => connection.detach()).toThrow(busy);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(() => connection.detach()).toThrow(busy);
  });

  describe("as a stream", () => {
    /** The client as a Duplex; the server echoes by a pipeline of its own. */
    async function duplexes(): Promise<Duplex> {
      const server = start(
        {
          open(connection) {
            const stream = toDuplex(connection);
            stream.pipe(stream);
          },
        },
        { ...way, allowHalfOpen: true },
      );
      return toDuplex(await connectionTo(server, {}, way));
    }

    it("carries bytes in order, with back-pressure, and half-closes", async () => {
      const stream = await duplexes();
      const sent = pattern(3_000_000);
      const received = buffer(stream);
      stream.end(sent);
      expect((await received).equals(sent)).toBe(true);
    });

    it("goes through a pipeline of transforms", async () => {
      const stream = await duplexes();
      const sent = pattern(500_000);
      const gunzip = createGunzip();
      const received = buffer(gunzip);
      const gzip = createGzip();
      const both = [pipeline(gzip, stream), pipeline(stream, gunzip)];
      gzip.end(sent);
      expect((await received).equals(sent)).toBe(true);
      await Promise.all(both);
    });

    it("is destroyed, and closes the connection", async () => {
      const closed: (Error | null)[] = [];
      const server = start({ data() {}, close: (_c, error) => void closed.push(error) }, way);
      const connection = await connectionTo(server, {}, way);
      const stream = toDuplex(connection);
      stream.destroy();
      await once(stream, "close");
      expect(connection.closed).toBe(true);
      await until(() => closed.length === 1, "the peer's close");
    });

    it("fails as the connection does", async () => {
      const streams: Duplex[] = [];
      const server = start({ open: (connection) => void streams.push(toDuplex(connection)) }, way);
      const rude = await socketTo(server);
      await until(() => streams.length > 0, "the stream");
      const [stream] = streams as [Duplex];
      const failed = once(stream.resume(), "error");
      rude.resetAndDestroy();
      expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
    });

    it("is the Web's as well", async () => {
      const server = start({ ...echo }, way);
      const web = toWebStreams(await connectionTo(server, {}, way));
      const writer = web.writable.getWriter();
      await writer.write(Buffer.from("hello"));
      const reader = web.readable.getReader();
      expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("hello");
      await writer.close();
      expect((await reader.read()).done).toBe(true);
    });

    it("reads on while a listener's large write is under way, as TLS needs it", async () => {
      const server = start(
        { open: (connection) => void connection.write("220 hello\n"), ...echo },
        way,
      );
      const stream = toDuplex(await connectionTo(server, {}, way));
      stream.once("data", () => stream.end(new Uint8Array(10 << 20)));
      let received = 0;
      stream.on("data", (bytes: Buffer) => {
        received += bytes.length;
      });
      await once(stream, "end");
      expect(received).toBe(10 + (10 << 20));
    });

    it("carries TLS by node:tls", async () => {
      const key = Buffer.from("0123456789abcdef");
      const secure = {
        secureContext: createSecureContext({ ciphers: "PSK", maxVersion: "TLSv1.2" }),
      };
      const server = start(
        {
          open(connection) {
            const socket = new TLSSocket(
              toDuplex(connection) as never,
              {
                ...secure,
                isServer: true,
                pskCallback: () => key,
              } as never,
            );
            socket.on("error", () => {});
            socket.pipe(socket);
          },
        },
        { ...way, allowHalfOpen: true },
      );
      const { connect: connectTls } = await import("node:tls");
      const client = connectTls({
        socket: toDuplex(await connectionTo(server, {}, way)) as never,
        ...secure,
        checkServerIdentity: () => undefined,
        pskCallback: () => ({ psk: key, identity: "a test" }),
      });
      await once(client, "secureConnect");
      expect(client.getProtocol()).toBe("TLSv1.2");
      client.end("hello".repeat(1 << 20));
      expect(await text(client)).toBe("hello".repeat(1 << 20));
    });
  });

  it("goes on after a handler has taken away the memory that it was given", async () => {
    let got = "";
    const server = start(
      {
        data(connection, bytes) {
          got += Buffer.from(bytes);
          try {
            structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
          } catch {
            // Node 22 and later refuse to transfer it
          }
          connection.write("y");
        },
      },
      way,
    );
    const socket = await socketTo(server);
    for (const word of ["one", "two", "three"]) {
      socket.write(word);
      expect(String((await once(socket, "data"))[0])).toBe("y");
    }
    expect(got).toBe("onetwothree");
  });

  it("serves one stream per connection", async () => {
    const connection = await connectionTo(start(echo, way), {}, way);
    const stream = toDuplex(connection);
    expect(() => toDuplex(connection)).toThrow(/has a stream already/);
    stream.destroy();
  });
});

it.skip.each(missingEngines)("by %s: %s", () => {});

it("connects to nothing without leaving anything", async () => {
  const server = start(echo);
  const port = portOf(server);
  await server.close();
  await expect(connect({ port })).rejects.toMatchObject({ code: "ECONNREFUSED", port });
  await expect(connect({ port, highWaterMark: -1 })).rejects.toThrow(/highWaterMark is -1/);
});
