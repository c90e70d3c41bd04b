// How connections end and fail: what was received is delivered, the cause is told, nothing stays
// open, and whatever is refused leaves nothing behind. By every engine of this machine.

import { AsyncLocalStorage } from "node:async_hooks";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import {
  adopt,
  type Connection,
  type ConnectionHandlers,
  close,
  DefaultSelector,
  openPty,
  pipeBoth,
  Reactor,
  read,
  type Server,
  serve,
  shutdown,
  socketPair,
  toDuplex,
  write,
} from "../src/index.ts";
import { engines } from "./connections/engines.ts";
import { connectionTo, echo, receiveAll, socketTo, start, until } from "./connections/pairs.ts";
import { nextUncaught } from "./connections/uncaught.ts";

describe.each(engines)("by %s", (name, way) => {
  it("stops a loop of small writes at the high-water mark", async () => {
    const server = start({ data: () => {} }, way);
    const [one, other] = [
      await connectionTo(server, { data: () => {} }, way),
      await connectionTo(server, { data: () => {} }, way),
    ];
    const small = new Uint8Array(10);
    const most = 64 * 1024;
    for (const writers of [[one], [one, other]]) {
      let written = 0;
      const takes = () => writers.map((writer) => writer.write(small)).every(Boolean);
      while (takes() && written <= 4 * most) written += small.length;
      expect(written).toBeLessThanOrEqual(most);
      await until(() => writers.every((writer) => writer.bufferedBytes === 0), "all to be sent");
    }
  });

  it.each([
    ["what is queued", 16 << 20],
    ["the next write", 1],
  ])("delivers what a peer has sent before it refuses %s", async (_what, length) => {
    let got = "";
    let server: Server | null = null;
    let accepted: Connection | null = null;
    const closed = new Promise<Error | null>((resolve) => {
      server = start(
        {
          open: (connection) => {
            accepted = connection;
          },
          data: (_c, bytes) => {
            got += Buffer.from(bytes);
          },
          end: () => {
            got += " and the end";
          },
          close: (_c, error) => resolve(error),
        },
        way,
      );
    });
    const socket = await socketTo(server as unknown as Server);
    socket.pause();
    await until(() => accepted !== null, "the connection");
    const write = () => (accepted as unknown as Connection).write(new Uint8Array(length));
    if (length > 1) write(); // more than buffers hold
    socket.write("too large");
    socket.resetAndDestroy();
    if (length === 1) write();
    expect(await closed).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    expect(got).toBe("too large"); // a reset is no end
  });

  it.each([
    ["has closed", close, "all and the end"],
    ["only reads no more", (peer: number) => shutdown(peer, "read"), "all"],
  ])(
    "tells the end of a peer that refuses a write, if there was one: it %s",
    async (_what, leave, told) => {
      const [fd, peer] = socketPair();
      let got = "";
      const closed = new Promise<Error | null>((resolve) => {
        const handlers: ConnectionHandlers = {
          data: (_c, bytes) => {
            got += Buffer.from(bytes);
          },
          end: () => {
            got += " and the end";
          },
          close: (_c, error) => resolve(error),
        };
        const connection = adopt(fd, handlers, way);
        write(peer, Buffer.from("all"));
        leave(peer);
        connection.write("y");
      });
      expect(await closed).toMatchObject({ code: "EPIPE" });
      expect(got).toBe(told);
      if (told === "all") close(peer);
    },
  );

  it.skipIf(name === "io_uring")("tells the end of a terminal from a read that fails", async () => {
    const ending = async (fd: number, options: object) => {
      const told: unknown[] = [];
      await new Promise<void>((resolve) => {
        const close = (_c: Connection, error: Error | null) => {
          told.push((error as NodeJS.ErrnoException | null)?.code ?? null);
          resolve();
        };
        adopt(fd, { data() {}, end: () => void told.push("end"), close }, { ...way, ...options });
      });
      return told;
    };
    const { controller, terminal } = openPty();
    close(terminal);
    expect(await ending(controller, {})).toEqual(["end", null]);
    if (process.platform !== "linux") return;
    // Nothing is mapped at address 0. proc_pid_mem(5)
    const memory = openSync("/proc/self/mem", "r");
    expect(await ending(memory, { backend: "poll" })).toEqual(["EIO"]);
  });

  it("`for await` throws if the peer resets, also if a write finds that first", async () => {
    const accepted: Connection[] = [];
    const server = start({ open: (one) => void accepted.push(one) }, way);
    const socket = await socketTo(server);
    await until(() => accepted.length > 0, "the connection");
    const connection = accepted[0] as Connection;
    const got: string[] = [];
    const reading = (async () => {
      for await (const bytes of connection) got.push(String(Buffer.from(bytes)));
    })();
    reading.catch(() => {});
    socket.write("half of");
    await until(() => got.length > 0, "the first bytes");
    socket.resetAndDestroy();
    connection.write("y");
    await expect(reading).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|EPIPE/),
    });
    expect(got).toEqual(["half of"]);
  });

  it("tells a reader that comes later why the connection was lost", async () => {
    const cause = new Error("no more");
    const server = start(echo, way);
    const lost = async () => {
      const connection = await connectionTo(server, {}, way);
      connection.destroy(cause);
      await until(() => connection.closed, "the end");
      return connection;
    };
    const iterator = (await lost())[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toBe(cause);
    expect(await iterator.next()).toMatchObject({ done: true });
    const other = await connectionTo(server, {}, way);
    await expect(pipeBoth(await lost(), other)).rejects.toBe(cause);
    expect(other.closed).toBe(true);
  });

  it("ends both sides of a pipe, and a stream, although a `close` handler throws", async () => {
    const server = start(echo, way);
    const close = () => {
      throw new Error("thrown by close");
    };
    const [one, other] = [
      await connectionTo(server, { data: () => {}, close }, way),
      await connectionTo(server, { data: () => {} }, way),
    ];
    const piped = pipeBoth(one, other).catch((error: NodeJS.ErrnoException) => error.code);
    let thrown = nextUncaught();
    one.destroy();
    expect(await thrown).toBe("Error: thrown by close");
    expect(await piped).toBe("ERR_STREAM_PREMATURE_CLOSE");
    expect(other.closed).toBe(true);
    const stream = toDuplex(await connectionTo(server, { close }, way));
    thrown = nextUncaught();
    stream.destroy();
    await once(stream, "close");
    expect(await thrown).toBe("Error: thrown by close");
  });

  it("sees a peer leave that an `open` handler alone has answered", async () => {
    const said: string[] = [];
    const server = start(
      {
        open: (connection) => connection.end("now\n"),
        end: () => void said.push("end"),
        close: (_c, error) => void said.push(`close ${error}`),
      },
      way,
    );
    const socket = await socketTo(server);
    expect(String(await receiveAll(socket))).toBe("now\n");
    await until(() => server.connections === 0, "the connection to close");
    expect(said).toEqual(["end", "close null"]);
  });

  it("keeps what a peer sends for a reader that comes after end()", async () => {
    let answered: Promise<string> | null = null;
    const server = start(
      {
        open(connection) {
          connection.end("question");
          answered = (async () => {
            await new Promise((resolve) => setTimeout(resolve, 50));
            const chunks: Uint8Array[] = [];
            for await (const chunk of connection) chunks.push(chunk);
            return String(Buffer.concat(chunks));
          })();
        },
      },
      way,
    );
    const socket = await socketTo(server, { allowHalfOpen: true });
    expect(String(await receiveAll(socket))).toBe("question");
    const answer = "answer".repeat(50_000);
    socket.end(answer);
    await until(() => answered !== null, "the connection");
    expect(await answered).toBe(answer);
  });

  it("ends this side with the peer if handlers follow an iterator", async () => {
    let ended = false;
    const server = start(
      {
        async open(connection) {
          const head = await connection[Symbol.asyncIterator]().next();
          expect(String(Buffer.from(head.value))).toBe("head");
          connection.setHandlers({
            data: () => {},
            end: () => {
              ended = true;
            },
          });
          connection.resume();
        },
      },
      way,
    );
    const socket = await socketTo(server, { allowHalfOpen: true });
    // At once, so that the end may come before the handlers do.
    const received = receiveAll(socket);
    socket.end("head");
    expect((await received).length).toBe(0);
    expect(ended).toBe(true);
  });

  it("gives what an iterator has not given to the handlers that follow it", async () => {
    let got = "";
    let ended = false;
    const [fd, peer] = socketPair();
    const connection = adopt(fd, {}, way);
    const iterator = connection[Symbol.asyncIterator]();
    for (const part of ["head", " body", " tail"]) {
      write(peer, Buffer.from(part));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    close(peer);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { value } = await iterator.next();
    connection.setHandlers({
      data: (_c, bytes) => {
        got += Buffer.from(bytes);
      },
      end: () => {
        ended = true;
      },
    });
    await until(() => ended, "the end");
    expect(`${Buffer.from(value)}${got}`).toBe("head body tail");
    expect(await iterator.next()).toMatchObject({ done: true });
    await until(() => connection.closed, "the close");
  });

  it("calls no `drain` after end(), so that all that was written leaves", async () => {
    const drained: boolean[] = [];
    const server = start(
      {
        open(connection) {
          connection.write(new Uint8Array(8 << 20));
          connection.end("TAIL");
        },
        data() {},
        drain: (connection) => void drained.push(connection.write("more")),
      },
      way,
    );
    const received = await receiveAll(await socketTo(server));
    expect(received.length).toBe((8 << 20) + 4);
    expect(String(received.subarray(-4))).toBe("TAIL");
    expect(drained).toEqual([]);
  });

  it("sends all of a loop of `drain` to a peer that has ended, with allowHalfOpen", async () => {
    let left = 32;
    let closed: Error | null | undefined;
    const pump = (connection: Connection) => {
      while (left > 0) {
        left--;
        if (!connection.write(new Uint8Array(1 << 20))) return;
      }
      connection.end();
    };
    const close = (_c: Connection, error: Error | null) => {
      closed = error;
    };
    for (const allowHalfOpen of [true, false]) {
      left = 32;
      closed = undefined;
      const server = start({ data: pump, drain: pump, close }, { ...way, allowHalfOpen });
      const socket = await socketTo(server, { allowHalfOpen: true });
      socket.pause();
      socket.end("GET\n");
      await until(() => left < 32, "the first write");
      const received = await receiveAll(socket);
      await until(() => closed !== undefined, "the close");
      expect(closed).toBe(null);
      // Without it this side ends with its peer: what `drain` had still to send is cut off.
      if (allowHalfOpen) expect(received.length).toBe(32 << 20);
      else expect(received.length).toBe((32 - left) << 20);
    }
  });

  it("fails an iteration whose connection is destroyed before the peer's end", async () => {
    const code = "ERR_STREAM_PREMATURE_CLOSE";
    const failures: Promise<string | undefined>[] = [];
    let got = 0;
    const read = async (connection: Connection) => {
      for await (const bytes of connection) got += bytes.length;
    };
    const failureOf = (reading: Promise<void>) =>
      reading.then(
        () => "none",
        (error: NodeJS.ErrnoException) => error.code,
      );
    const server = start({ open: (one) => void failures.push(failureOf(read(one))) }, way);
    const socket = await socketTo(server);
    socket.write(new Uint8Array(1000));
    await until(() => got === 1000, "the bytes");
    const connection = await connectionTo(server, {}, way);
    await until(() => failures.length === 2, "both");
    await server.close({ connections: "destroy" });
    expect(await Promise.all(failures)).toEqual([code, code]);
    connection.destroy();
    expect(await failureOf(read(connection))).toBe(code);
  });

  it("rejects a pipe that is destroyed while bytes are under way", async () => {
    const server = start({ data() {} }, way);
    const [fd, peer] = socketPair();
    const [one, other] = [await connectionTo(server, {}, way), adopt(fd, {}, way)];
    const piped = pipeBoth(one, other);
    one.destroy();
    await expect(piped).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
    expect(other.closed).toBe(true);
    close(peer);
  });

  it("closes a connection that nothing reads once both sides have ended", async () => {
    const closed: [Connection, Error | null][] = [];
    const server = start(
      {
        open: (connection) => connection.end("the time\n"),
        close: (connection, error) => void closed.push([connection, error]),
      },
      { ...way, maxConnections: 1 },
    );
    for (let i = 0; i < 4; i++) {
      const socket = await socketTo(server);
      socket.end("GET / HTTP/1.0\r\n\r\n");
      expect(String(await receiveAll(socket))).toBe("the time\n");
    }
    await server.close();
    expect(closed.map(([, error]) => error)).toEqual([null, null, null, null]);
    // What it has sent is a later reader's.
    const [iterated, streamed, piped] = closed.map(([connection]) => connection);
    if (!iterated || !streamed || !piped) throw new Error("there were four");
    const chunks: Uint8Array[] = [];
    for await (const bytes of iterated) chunks.push(bytes);
    expect(String(Buffer.concat(chunks))).toBe("GET / HTTP/1.0\r\n\r\n");
    expect(await text(toDuplex(streamed))).toBe("GET / HTTP/1.0\r\n\r\n");
    const [fd, peer] = socketPair();
    await expect(pipeBoth(piped, adopt(fd, {}, way))).rejects.toMatchObject({
      code: "ERR_STREAM_PREMATURE_CLOSE",
    });
    close(peer);
  });

  it("calls handlers in no context of the program that started another server", async () => {
    await new Promise((resolve) => setTimeout(resolve, 5)); // nothing of earlier tests runs
    const storage = new AsyncLocalStorage<string>();
    storage.run("another server's", () => start(echo, way));
    let seen: string | undefined = "nothing";
    const open = () => {
      seen = storage.getStore();
    };
    const server = start({ open }, way);
    await socketTo(server);
    await until(() => seen !== "nothing", "the connection");
    expect(seen).toBe(undefined);
  });

  it("calls them in no context of the program that loads the library", async () => {
    const program = `
      import { AsyncLocalStorage } from "node:async_hooks";
      const storage = new AsyncLocalStorage();
      await storage.run("the first user's", async () => {
        const { serve, connect } = await import("./dist/src/index.js");
        const way = ${JSON.stringify(way)};
        const open = () => {
          console.log(storage.getStore());
          void server.close({ connections: "destroy" });
        };
        const server = serve({ port: 0, ...way }, { open });
        await connect({ port: server.address.port, ...way }, { data() {} });
      });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(await text(child.stdout)).toBe("undefined\n");
  });

  const counted = it.skipIf(name === "io_uring"); // which has no calls to count
  counted("sends texts of one turn in one call, if each has at most 16 KiB as UTF-8", async () => {
    const calls = () => server.engineCounters().sendCalls;
    const counts: number[] = [];
    const server = start(
      {
        data(connection) {
          counts.push(calls());
          for (let i = 0; i < 5; i++) connection.write("a".repeat(6000));
          connection.end();
        },
        close: () => void counts.push(calls()),
      },
      way,
    );
    const socket = await socketTo(server);
    socket.write("go");
    expect((await receiveAll(socket)).length).toBe(30_000);
    await until(() => counts.length === 2, "the close");
    expect(counts[1]).toBe((counts[0] ?? 0) + 1);
  });

  const usual = it.skipIf(!/epoll|kqueue|^io_uring$/.test(name));
  usual("sends what was written before process.exit()", async () => {
    const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const options = JSON.stringify({ ...way, port });
    const program = `import { connect } from "./dist/src/index.js";
      const connection = await connect(${options});
      connection.write("x".repeat(100));
      connection.end("bye");
      process.exit();`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
    const [socket] = (await once(listener, "connection")) as [Socket];
    expect(String(await receiveAll(socket))).toBe(`${"x".repeat(100)}bye`);
    socket.destroy();
    listener.close();
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
  });

  it("names the call that refused TCP_NODELAY, and refuses what is no boolean", async () => {
    const [fd, peer] = socketPair();
    const connection = adopt(fd, echo, way);
    expect(() => connection.setNoDelay(true)).toThrow(/TCP_NODELAY of fd \d+: setsockopt \w+/);
    expect(() => connection.setNoDelay("yes" as never)).toThrow(/on must be a boolean/);
    connection.destroy();
    close(peer);
  });
});

describe("what cannot be served", () => {
  it("is the caller's again, and does not stop what comes later", async () => {
    const selector = new DefaultSelector();
    const reactor = new Reactor(selector);
    const [fd, peer] = socketPair();
    selector.close();
    for (let i = 0; i < 2; i++) {
      expect(() => adopt(fd, echo, { reactor })).toThrow(
        expect.objectContaining({ code: "ERR_SELECTOR_CLOSED" }),
      );
    }
    const connection = adopt(fd, echo);
    write(peer, Buffer.from("x"));
    const bytes = new Uint8Array(8);
    await until(() => read(peer, bytes) === 1, "the echo");
    connection.destroy();
    close(peer);
  });
});

describe("options", () => {
  it.each([
    [{ backend: "foo" as never }, /backend is "foo"; it must be one of: epoll/],
    [{ engine: "io_uring", backend: "poll" } as const, /backend "poll" is for the readiness/],
    [{ path: "/tmp/a", host: "::1" }, /host is for a port/],
    [{ path: "/tmp/a", reusePort: true }, /reusePort is for a host and a port/],
    [{ fd: 0, backlog: 5 }, /backlog is not for fd/],
    [{ port: 0, host: "" }, /host is empty/],
    [{ host: "localhost", port: 1e6 }, /1000000 is not a port/],
    [{ host: "localhost", backlog: -1 }, /-1 is not a backlog/],
    [{ host: "localhost", reusePort: 1 as never }, /reusePort must be a boolean/],
  ])("%j are refused at once", (options, message) => {
    expect(() => serve(options, echo)).toThrow(message);
  });

  it("of close() are an object", async () => {
    const server = start(echo);
    for (const options of ["destroy", null] as never[]) {
      expect(() => server.close(options)).toThrow(/options must be an object/);
    }
  });
});
