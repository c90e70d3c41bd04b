// The promises of docs/connections.md, each on every engine and backend of this machine.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import {
  adopt,
  type Connection,
  type ConnectionHandlers,
  connect,
  listenTcp,
  localPort,
  serve,
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
import { nextUncaught } from "./connections/uncaught.ts";

it.skip.each(missingEngines)("by %s: %s", () => {});

/** What was called, in order, by connection. */
class Calls {
  readonly #calls = new Map<Connection, string[]>();

  note(connection: Connection, call: string): void {
    const calls = this.#calls.get(connection) ?? [];
    calls.push(call);
    this.#calls.set(connection, calls);
  }

  all(): string[] {
    return [...this.#calls.values()].map((calls) => calls.join(" "));
  }
}

describe.each(engines)("by %s", (_name, way) => {
  describe("1: every byte arrives once, in order", () => {
    it("in writes of one byte, each in a turn of its own or many in one", async () => {
      const server = start(echo, way);
      const socket = await socketTo(server);
      const sent = pattern(3000);
      const received = receiveAll(socket);
      for (let i = 0; i < sent.length; i++) {
        socket.write(sent.subarray(i, i + 1));
        if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      socket.end();
      expect((await received).equals(sent)).toBe(true);
    });

    it("in one write of 64 MiB, to a peer that begins to read late", async () => {
      const sent = Buffer.alloc(64 << 20, pattern(65_537));
      let accepted: Connection | undefined;
      const server = start(
        {
          open(connection) {
            accepted = connection;
            expect(connection.write(sent)).toBe(false);
            connection.end();
          },
        },
        way,
      );
      const socket = await socketTo(server);
      socket.pause();
      await until(() => accepted !== undefined, "the connection");
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(accepted?.bufferedBytes).toBeGreaterThan(0);
      expect((await receiveAll(socket)).equals(sent)).toBe(true);
    });

    it("with the memory of a peer that never reads bounded", async () => {
      const highWaterMark = 100_000;
      let most = 0;
      const server = start(
        {
          data(connection, bytes) {
            connection.write(bytes);
            most = Math.max(most, connection.bufferedBytes - bytes.length);
          },
        },
        { ...way, highWaterMark },
      );
      const socket = await socketTo(server);
      socket.pause();
      const chunk = Buffer.alloc(1 << 20);
      let taken = 0;
      // Until the kernel's buffers of both directions are full: nothing moves any more.
      for (let still = 0; still < 20; still++) {
        if (socket.writableLength === 0) {
          still = 0;
          taken += chunk.length;
          socket.write(chunk);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(taken).toBeGreaterThan(highWaterMark);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(highWaterMark);
    });

    it("over a half-close by either side", async () => {
      const server = start(
        {
          open: (connection) => connection.end("from the server"),
          data: (_c, bytes) => {
            received += Buffer.from(bytes);
          },
          close: () => {
            closes++;
          },
        },
        { ...way, allowHalfOpen: true },
      );
      let received = "";
      let closes = 0;
      const socket = await socketTo(server, { allowHalfOpen: true });
      expect(String(await receiveAll(socket))).toBe("from the server");
      for (const word of ["after ", "its ", "end"]) {
        socket.write(word);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      socket.end();
      await until(() => closes === 1, "the close");
      expect(received).toBe("after its end");
    });

    it("until a reset at any moment, which is told once", async () => {
      const reasons: (Error | null)[] = [];
      const handlers: ConnectionHandlers = {
        ...echo,
        close: (_c, error) => void reasons.push(error),
      };
      const server = start(handlers, way);
      for (let i = 0; i < 20; i++) {
        const socket = await socketTo(server);
        socket.on("error", () => {});
        socket.write(Buffer.alloc(i * 20_000));
        for (let turn = 0; turn < i % 5; turn++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        socket.resetAndDestroy();
      }
      await until(() => reasons.length === 20, "the closes");
      for (const reason of reasons) {
        expect(["ECONNRESET", "EPIPE"]).toContain((reason as NodeJS.ErrnoException)?.code);
      }
      expect(server.connections).toBe(0);
    });
  });

  it("2: close is called once per open, last", async () => {
    const calls = new Calls();
    const handlers: ConnectionHandlers = {
      open: (connection) => calls.note(connection, "open"),
      data(connection, bytes) {
        calls.note(connection, "data");
        const text = Buffer.from(bytes).toString();
        if (text === "end") connection.end();
        if (text === "destroy") connection.destroy();
        if (text === "twice") {
          connection.end();
          connection.destroy();
          connection.destroy(new Error("late"));
        }
      },
      end: (connection) => calls.note(connection, "end"),
      drain: (connection) => calls.note(connection, "drain"),
      close: (connection) => calls.note(connection, "close"),
    };
    const server = start(handlers, way);
    for (const text of ["end", "destroy", "twice", "peer"]) {
      const socket = await socketTo(server);
      socket.resume();
      const closed = once(socket, "close");
      socket.write(text);
      if (text === "peer") socket.end();
      await closed;
      socket.destroy();
    }
    await until(() => server.connections === 0, "the closes");
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(calls.all()).toEqual([
      "open data end close",
      "open data close",
      "open data close",
      "open data end close",
    ]);
  });

  describe("3: a handler that throws", () => {
    /** Each makes that handler throw. */
    const provocations: Record<string, (socket: Socket) => unknown> = {
      open: () => {},
      data: (socket) => socket.write("x"),
      end: (socket) => socket.end(),
      drain: (socket) => socket.write("drain"),
      close: (socket) => socket.destroy(),
      idle: () => {},
    };

    function faulty(name: string, told: unknown[] | null): ConnectionHandlers {
      const handlers: ConnectionHandlers = {
        data(connection, bytes) {
          if (Buffer.from(bytes).toString() === "drain") connection.write(Buffer.alloc(32 << 20));
        },
        [name]: () => {
          throw new Error(`from ${name}`);
        },
      };
      if (told !== null) handlers.error = (_c, thrown) => void told.push(String(thrown));
      return handlers;
    }

    it.each(Object.keys(provocations))(
      "%s is told to `error`, and destroys its own",
      async (name) => {
        const told: unknown[] = [];
        const options = { ...way, ...(name === "idle" && { idleTimeoutMs: 10 }) };
        const server = start(faulty(name, told), options);
        const thrown = name === "close" ? nextUncaught() : null;
        const socket = await socketTo(server);
        socket.on("error", () => {}).resume();
        const closed = once(socket, "close");
        provocations[name]?.(socket);
        await closed;
        // The last handler is past telling: what close throws is the process's.
        if (thrown !== null) expect(await thrown).toBe("Error: from close");
        else await until(() => told.length === 1, "the error");
        if (thrown === null) expect(told).toEqual([`Error: from ${name}`]);
        await until(() => server.connections === 0, "the close");
      },
    );

    it("is an uncaughtException without `error`, and the server goes on", async () => {
      const thrown = nextUncaught();
      const server = start(
        {
          data(connection, bytes) {
            if (Buffer.from(bytes).toString() === "throw") throw new Error("from data");
            connection.write(bytes);
          },
        },
        way,
      );
      const [bad, good] = [await socketTo(server), await socketTo(server)];
      bad.on("error", () => {}).write("throw");
      expect(await thrown).toBe("Error: from data");
      good.write("on");
      expect(String((await once(good, "data"))[0])).toBe("on");
      if (!bad.closed) await once(bad.resume(), "close");
    });
  });

  it("4: a full descriptor table pauses accepting, without spinning", () => {
    const { status, stdout, stderr } = run("full-table", way);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { echoedWhileFull, acceptedAfter, cpuShare } = JSON.parse(stdout);
    expect({ echoedWhileFull, acceptedAfter }).toEqual({
      echoedWhileFull: true,
      acceptedAfter: true,
    });
    expect(cpuShare).toBeLessThan(0.5); // one that spins takes all of its CPU
  });

  it("5: an idle timer is put off by every message, and fires when there is none", async () => {
    const idle: number[] = [];
    const server = start(
      {
        ...echo,
        idle(connection) {
          idle.push(performance.now());
          connection.end();
        },
      },
      { ...way, idleTimeoutMs: 200 },
    );
    const socket = await socketTo(server);
    let last = performance.now();
    for (let i = 0; i < 40; i++) {
      last = performance.now();
      socket.write("x");
      await once(socket, "data");
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (idle.length > 0) break;
    }
    await until(() => idle.length > 0, "the idle timeout");
    // Never early, whatever this machine does meanwhile.
    expect((idle[0] ?? 0) - last).toBeGreaterThanOrEqual(195);
  });

  it("6: what is written in one turn leaves in one system call", async () => {
    const server = start(
      {
        data(connection, bytes) {
          for (const byte of bytes) connection.write(Uint8Array.of(byte));
          connection.write("!");
        },
      },
      way,
    );
    const socket = await socketTo(server);
    const pieces: string[] = [];
    socket.on("data", (piece) => pieces.push(String(piece)));
    for (let i = 1; i <= 10; i++) {
      socket.write("0123456789");
      await until(() => pieces.join("").length === 11 * i, "the answer");
    }
    expect(pieces).toEqual(Array(10).fill("0123456789!"));
  });

  describe("7: on one thread", () => {
    it("works beside Node's own sockets, timers and a second server", async () => {
      const first = start(echo, way);
      const second = start(echo, way);
      const sockets = await Promise.all([first, second, first].map((server) => socketTo(server)));
      const answers = sockets.map(async (socket, i) => {
        socket.write(`from ${i}`);
        const [answer] = await once(socket, "data");
        return String(answer);
      });
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      expect(await Promise.all(answers)).toEqual(["from 0", "from 1", "from 2"]);
      await until(() => ticks > 3, "a timer");
      clearInterval(timer);
    });

    it.each(["terminate", "exit"])("leaves nothing open after a worker's %s", (how) => {
      const { status, stdout, stderr } = run(`worker-${how}`, way);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(JSON.parse(stdout)).toEqual({ left: 0, refused: true });
    });
  });

  it("8: connections are handed over", async () => {
    const listener = listenTcp();
    const port = localPort(listener);
    const served = serve(
      { ...way, fd: listener },
      {
        data(connection, bytes) {
          if (!Buffer.from(bytes).toString().startsWith("upgrade")) return;
          const { fd, unread } = connection.detach();
          expect(unread.length).toBe(0);
          adopt(fd, { open: (other) => void other.write("adopted"), ...echo }, way);
        },
      },
    );
    const connection = await connect({ ...way, port });
    connection.write("upgrade");
    const got: string[] = [];
    connection.setHandlers({ data: (_c, bytes) => void got.push(Buffer.from(bytes).toString()) });
    connection.resume();
    await until(() => got.join("") === "adopted", "the new owner");
    connection.write("echo");
    await until(() => got.join("") === "adoptedecho", "its echo");
    connection.destroy();
    await served.close();
    expect(served.connections).toBe(0);
  });

  it("connects to itself a hundred times at once", async () => {
    const server = start(echo, way);
    const got = new Map<Connection, string>();
    const connections = await Promise.all(
      Array.from({ length: 100 }, () =>
        connectionTo(
          server,
          { data: (c, bytes) => void got.set(c, (got.get(c) ?? "") + Buffer.from(bytes)) },
          way,
        ),
      ),
    );
    for (const [i, connection] of connections.entries()) connection.write(`number ${i}`);
    await until(() => got.size === 100, "the echoes");
    expect(connections.map((connection) => got.get(connection))).toEqual(
      connections.map((_, i) => `number ${i}`),
    );
    expect(portOf(server)).toBeGreaterThan(0);
  });
});

/** A case of test/programs/connection-life.mjs in a process of its own. */
function run(name: string, way: object) {
  const args = ["-c", 'ulimit -n 128; exec "$0" "$@"', process.execPath];
  const program = ["test/programs/connection-life.mjs", name, JSON.stringify(way)];
  return spawnSync("sh", [...args, ...program], { encoding: "utf8", timeout: 60_000 });
}
