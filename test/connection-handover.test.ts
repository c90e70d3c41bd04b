// A connection that goes from one reader to another: handlers, iterators, pipes, streams, the
// descriptor itself. No byte is lost, and no reader keeps what is another's. By every engine.

import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import {
  adopt,
  type Connection,
  type ConnectionHandlers,
  type ConnectionOptions,
  close,
  DefaultSelector,
  type Detached,
  lengthPrefixed,
  lines,
  listenTcp,
  pipe as makePipe,
  pipeBoth,
  Reactor,
  read,
  serve,
  shutdown,
  socketPair,
  toDuplex,
  toReadable,
  toWebStreams,
  toWritable,
  write,
} from "../src/index.ts";
import { engines } from "./connections/engines.ts";
import { pattern, socketTo, start, until } from "./connections/pairs.ts";

const peers: number[] = [];
const adopted: Connection[] = [];

afterEach(() => {
  for (const connection of adopted.splice(0)) connection.destroy();
  for (const fd of peers.splice(0)) close(fd);
});

describe.each(engines)("by %s", (name, way) => {
  /** A connection, and the descriptor of its peer. */
  function pair(
    handlers: ConnectionHandlers = {},
    options: ConnectionOptions = {},
  ): [connection: Connection, peer: number] {
    const [fd, peer] = socketPair();
    peers.push(peer);
    const connection = adopt(fd, handlers, { ...way, ...options });
    adopted.push(connection);
    return [connection, peer];
  }

  /** A connection whose handlers were told that its peer has ended. */
  async function halfClosed(): Promise<Connection> {
    const told: string[] = [];
    const handlers: ConnectionHandlers = { data() {}, end: () => void told.push("end") };
    const [connection, peer] = pair(handlers, { allowHalfOpen: true });
    shutdown(peer, "write");
    await until(() => told.length > 0, "the end");
    return connection;
  }

  it("a line may set the handlers of what follows it", async () => {
    const got: string[] = [];
    const raw: ConnectionHandlers = {
      data: (_connection, bytes) => void got.push(`raw ${Buffer.from(bytes)}`),
    };
    const onLine = (connection: Connection, line: string) => {
      got.push(line);
      if (line === "switch") connection.setHandlers(raw);
    };
    const [, peer] = pair(lines({ onLine }));
    write(peer, Buffer.from("a\nswitch\nb\nrest"));
    await until(() => got.join().includes("rest"), "the rest");
    expect(got).toEqual(["a", "switch", "raw b\nrest"]);
  });

  it("the begun line goes to the handlers that are set between two reads", async () => {
    const got: string[] = [];
    const [connection, peer] = pair(lines({ onLine: (_connection, line) => void got.push(line) }));
    write(peer, Buffer.from("a\npart"));
    await until(() => got.length === 1, "the first line");
    const data = (_connection: Connection, bytes: Uint8Array) =>
      void got.push(`${Buffer.from(bytes)}`);
    connection.setHandlers({ data });
    write(peer, Buffer.from("ial"));
    await until(() => got.join("").endsWith("ial"), "the rest");
    expect(got.slice(1).join("")).toBe("partial");
  });

  it("the begun frame is among what detach() returns", async () => {
    let frames = 0;
    const format = lengthPrefixed({ onMessage: () => void frames++ });
    const [connection, peer] = pair(format);
    write(peer, Buffer.from([0, 0, 0, 1, 7, 0, 0, 0, 3, 1, 2]));
    await until(() => frames === 1, "the first message");
    const { fd, unread } = connection.detach();
    peers.push(fd);
    expect([...unread]).toEqual([0, 0, 0, 3, 1, 2]);
  });

  it("a frame that sets other handlers is not delivered to them again", async () => {
    const got: string[] = [];
    const onLine = (connection: Connection, line: string) => {
      got.push(line);
      const data = (_connection: Connection, bytes: Uint8Array) =>
        void got.push(`raw ${Buffer.from(bytes)}`);
      if (line === "switch") connection.setHandlers({ data });
    };
    const [, peer] = pair(lines({ onLine }));
    write(peer, Buffer.from("a\nswi"));
    await until(() => got.length === 1, "the first line");
    write(peer, Buffer.from("tch\nrest"));
    await until(() => got.length === 3, "the rest");
    expect(got).toEqual(["a", "switch", "raw rest"]);
  });

  it("an iteration after the close has what the one before it has not given", async () => {
    const [connection, peer] = pair();
    write(peer, Buffer.from("header"));
    const first = await connection[Symbol.asyncIterator]().next();
    expect(String(Buffer.from(first.value ?? []))).toBe("header");
    write(peer, Buffer.from("body"));
    connection.end();
    shutdown(peer, "write");
    await until(() => connection.closed, "the close");
    let rest = "";
    for await (const bytes of connection) rest += Buffer.from(bytes);
    expect(rest).toBe("body");
  });

  it("a connection that is resumed with a large write of another one receives", async () => {
    let got = 0;
    const [paused, peer] = pair({
      data: (_connection, bytes) => {
        got += bytes.length;
      },
    });
    const [other] = pair({ data: () => {} });
    paused.pause();
    await delay(20); // the engine waits without it
    paused.resume();
    other.write(new Uint8Array(32 << 10));
    await delay(20);
    write(peer, new Uint8Array(5));
    await until(() => got === 5, "the bytes");
  });

  it("an iterator stops reading from a peer that sends single bytes", async () => {
    const [connection, peer] = pair();
    const iterator = connection[Symbol.asyncIterator]();
    // On a busy machine several bytes arrive together.
    for (let sent = 0; sent < 200_000 && !connection.paused; sent++) {
      write(peer, new Uint8Array(1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(connection.paused).toBe(true);
    for (let read = 0; read < 10_000 && connection.paused; read++) await iterator.next();
    expect(connection.paused).toBe(false);
  });

  it("a pipe ends with an error if one of its connections is detached or taken over", async () => {
    for (const leave of ["detach", "setHandlers"] as const) {
      const [[a], [b]] = [pair(), pair()];
      const piped = pipeBoth(a, b).catch((error: NodeJS.ErrnoException) => error.code);
      if (leave === "detach") peers.push(a.detach().fd);
      else a.setHandlers({ data: () => {} });
      expect(await piped).toBe("ERR_CONNECTION_TAKEN");
      expect(b.closed).toBe(true);
      expect(a.closed).toBe(leave === "detach");
    }
  });

  it("a connection that a pipe has paused goes on with other handlers", async () => {
    const [a, peerOfA] = pair();
    const [b] = pair(); // whose peer does not read
    const piped = pipeBoth(a, b).catch(() => {});
    const chunk = new Uint8Array(64 << 10);
    for (let sent = 0; sent < 1000 && !a.paused; sent++) {
      write(peerOfA, chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(a.paused).toBe(true);
    let got = 0;
    a.setHandlers({
      data: (_connection, bytes) => {
        got += bytes.length;
      },
    });
    await piped;
    write(peerOfA, new Uint8Array(1));
    await until(() => got > 0, "what comes after the pipe");
  });

  it("a stream passes the reason of a failure on, in both directions", async () => {
    let reason: Error | null = null;
    const close = (_connection: Connection, error: Error | null) => {
      reason = error;
    };
    const [served] = pair({ data: () => {}, close });
    const why = new Error("why");
    toDuplex(served)
      .on("error", () => {})
      .destroy(why);
    await until(() => reason !== null, "the close");
    expect(reason).toBe(why);
    const [failed] = pair({ data: () => {} });
    failed.destroy(why);
    await until(() => failed.closed, "the close");
    await expect(finished(toDuplex(failed))).rejects.toBe(why);
  });

  it("a loop over a Web stream may be left while bytes are buffered", async () => {
    const [connection, peer] = pair();
    write(peer, new Uint8Array(60_000));
    const { readable } = toWebStreams(connection);
    for await (const chunk of readable) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await until(() => connection.closed, "the close");
  });

  it("a line may begin an iteration of what follows it", async () => {
    let rest = "";
    const read = async (connection: Connection) => {
      for await (const bytes of connection) rest += Buffer.from(bytes);
    };
    const begin = (connection: Connection) => void read(connection).catch(() => {});
    const [, peer] = pair(lines({ onLine: begin }));
    write(peer, Buffer.from("first\nsecond\nthird"));
    await until(() => rest.length >= 12, "the rest");
    expect(rest).toBe("second\nthird");
  });

  it("the last line, without a newline, may set the handlers that get the end", async () => {
    const [got, ends]: [string[], string[]] = [[], []];
    const read = async (connection: Connection) => {
      for await (const bytes of connection) got.push(`${Buffer.from(bytes)}`);
      ends.push("iterator");
    };
    const [iterated, peer] = pair(lines({ onLine: (connection) => void read(connection) }));
    const raw: ConnectionHandlers = { data() {}, end: () => void ends.push("handlers") };
    const [other, its] = pair(lines({ onLine: (connection) => connection.setHandlers(raw) }));
    for (const fd of [peer, its]) {
      write(fd, Buffer.from("only"));
      shutdown(fd, "write");
    }
    await until(() => iterated.closed && other.closed, "both to close");
    expect([ends.sort(), got]).toEqual([["handlers", "iterator"], []]);
  });

  it("detach() gives what an iterator has not given, and ends the iterator", async () => {
    // The iterator pauses it once it keeps a byte.
    const [connection, peer] = pair({}, { highWaterMark: 1 });
    const iterator = connection[Symbol.asyncIterator]();
    const first = iterator.next();
    write(peer, Buffer.from("head"));
    const { value } = await first;
    write(peer, Buffer.from(" body"));
    await until(() => connection.paused, "the body");
    const { fd, unread } = connection.detach();
    peers.push(fd);
    expect(`${Buffer.from(value)}${Buffer.from(unread)}`).toBe("head body");
    expect(await iterator.next()).toMatchObject({ done: true });
  });

  it("detach() ends an iterator that waits", async () => {
    const [connection] = pair();
    const next = connection[Symbol.asyncIterator]().next();
    await delay(5);
    peers.push(connection.detach().fd);
    expect(await next).toMatchObject({ done: true });
  });

  it("`break` after handing over leaves the connection to its new handlers", async () => {
    let got = "";
    const [connection, peer] = pair();
    write(peer, Buffer.from("head"));
    for await (const _head of connection) {
      connection.setHandlers({
        data: (_connection, bytes) => {
          got += Buffer.from(bytes);
        },
      });
      break;
    }
    connection.resume();
    write(peer, Buffer.from("body"));
    await until(() => got === "body", "the body");
    expect(connection.closed).toBe(false);
  });

  it("any number of iterators, one after another, ends with one `close`", async () => {
    let closed = 0;
    const [connection] = pair({ close: () => void closed++ });
    for (let i = 0; i < 20_000; i++) connection[Symbol.asyncIterator]();
    connection.destroy();
    await until(() => closed === 1, "the close");
  });

  it("an iterator throws an error once", async () => {
    const [connection] = pair();
    const iterator = connection[Symbol.asyncIterator]();
    const next = iterator.next();
    connection.destroy(new Error("why"));
    await expect(next).rejects.toThrow("why");
    expect(await iterator.next()).toMatchObject({ done: true });
  });

  it("a stream fails if its connection is taken over, and gives back what it has", async () => {
    let got = "";
    let ended = false;
    const [connection, peer] = pair();
    const stream = toDuplex(connection);
    write(peer, Buffer.from("bytes that the stream "));
    await once(stream, "readable");
    stream.write(new Uint8Array(8 << 20)); // more than the peer takes, which does not read
    const failed = finished(stream).catch((error: NodeJS.ErrnoException) => error.code);
    connection.setHandlers({
      data: (_connection, bytes) => {
        got += Buffer.from(bytes);
      },
      end: () => {
        ended = true;
      },
    });
    expect(await failed).toBe("ERR_CONNECTION_TAKEN");
    expect(connection.closed).toBe(false);
    connection.resume();
    write(peer, Buffer.from("has not given"));
    shutdown(peer, "write");
    await until(() => ended, "the end");
    expect(got).toBe("bytes that the stream has not given");
  });

  it("a stream's write is done although the connection was ended meanwhile", async () => {
    const [connection, peer] = pair();
    const written = new Uint8Array(1 << 20);
    let failure: Error | null | undefined;
    toDuplex(connection).write(written, (error) => {
      failure = error ?? null;
    });
    connection.end();
    let received = 0;
    const bytes = new Uint8Array(64 << 10);
    await until(() => {
      received += Math.max(0, read(peer, bytes));
      return received === written.length && failure !== undefined;
    }, "the write to be done");
    expect(failure).toBe(null);
  });

  it("a stream that was read may be followed by another one, or by a detach()", async () => {
    const [connection, peer] = pair();
    const first = toDuplex(connection);
    const failed = finished(first).catch((error: NodeJS.ErrnoException) => error.code);
    connection.setHandlers({ data: () => {} });
    expect(await failed).toBe("ERR_CONNECTION_TAKEN");
    const second = toDuplex(connection);
    write(peer, Buffer.from("for the second"));
    await once(second, "readable");
    const over = finished(second).catch((error: NodeJS.ErrnoException) => error.code);
    const { fd, unread } = connection.detach();
    peers.push(fd);
    expect(String(unread)).toBe("for the second");
    expect(await over).toBe("ERR_CONNECTION_TAKEN");
  });

  it("a stream that was destroyed closes although other handlers follow at once", async () => {
    const [connection] = pair();
    const stream = toDuplex(connection);
    const closed = once(stream, "close");
    stream.destroy();
    connection.setHandlers({ data: () => {} });
    await closed;
  });

  it("an iterator after a stream has the usual high-water mark", async () => {
    const [connection, peer] = pair();
    toDuplex(connection).on("error", () => {});
    const iterator = connection[Symbol.asyncIterator]();
    const first = iterator.next();
    write(peer, Buffer.from("1"));
    await first;
    write(peer, Buffer.from("2"));
    await delay(1); // the second byte, which no call has asked for, may have come
    expect(connection.paused).toBe(false);
    expect(Buffer.from((await iterator.next()).value)).toEqual(Buffer.from("2"));
  });

  it("a stream takes over from a handler that writes more than its peer takes", async () => {
    let stream: Duplex | null = null;
    const [connection, peer] = pair({
      data(it) {
        it.write(new Uint8Array(8 << 20)); // the peer does not read
        stream = toDuplex(it);
      },
    });
    write(peer, Buffer.from("first"));
    await until(() => stream !== null, "the handler");
    write(peer, Buffer.from("second"));
    const [bytes] = await once(stream as unknown as Duplex, "data");
    expect(String(bytes)).toBe("second");
    connection.destroy();
    await once(stream as unknown as Duplex, "close");
  });

  it("a stream over a connection that closed without a byte ends", async () => {
    const accepted: Connection[] = [];
    const open = (connection: Connection) => {
      connection.end("greeting");
      accepted.push(connection);
    };
    const socket = await socketTo(start({ open }, way));
    socket.end();
    await until(() => accepted[0]?.closed === true, "the close");
    expect(await text(toDuplex(accepted[0] as Connection))).toBe("");
  });

  it.skipIf(name === "io_uring")("a pipe carries bytes from a FIFO to another one", async () => {
    const [[from, writer], [reader, to]] = [makePipe(), makePipe()];
    const piped = pipeBoth(adopt(from, {}, way), adopt(to, {}, way));
    write(writer, Buffer.from("bytes"));
    close(writer);
    expect(await piped).toEqual({ aToB: 5, bToA: 0 });
    const bytes = Buffer.alloc(10);
    expect([read(reader, bytes), read(reader, bytes)]).toEqual([5, 0]);
    close(reader);
  });

  it.skipIf(name === "io_uring")(
    "a pipe carries a FIFO's bytes to a slow socket, and ends",
    async () => {
      const [[from, writer], [socket, peer]] = [makePipe(), socketPair()];
      const piped = pipeBoth(adopt(from, {}, way), adopt(socket, {}, way));
      toWritable(writer).end(pattern(3_000_000));
      write(peer, Buffer.from("an answer, which no FIFO takes"));
      const received = await buffer(toDuplex(adopt(peer, {}, way)));
      expect(received.equals(pattern(3_000_000))).toBe(true);
      expect(await piped).toEqual({ aToB: 3_000_000, bToA: 0 });
    },
  );

  it.skipIf(name === "io_uring")(
    "a pipe carries a socket's bytes to a FIFO, and ends",
    async () => {
      const [[reader, to], [socket, peer]] = [makePipe(), socketPair()];
      const piped = pipeBoth(adopt(socket, {}, way), adopt(to, {}, way));
      const remote = toDuplex(adopt(peer, {}, way));
      await once(remote.resume(), "end"); // nothing ever comes out of that end of a FIFO
      remote.end(pattern(3_000_000));
      expect((await buffer(toReadable(reader))).equals(pattern(3_000_000))).toBe(true);
      expect(await piped).toEqual({ aToB: 3_000_000, bToA: 0 });
    },
  );

  it("a reader that comes after the end has been told ends, too", async () => {
    const iterates = async (connection: Connection) => {
      for await (const bytes of connection) throw new Error(`got ${bytes}`);
    };
    const streams = (connection: Connection) => once(toDuplex(connection).resume(), "end");
    for (const reads of [iterates, streams]) {
      const connection = await halfClosed();
      await reads(connection);
      expect([connection.writable, connection.closed]).toEqual([true, false]);
    }
  });

  it("pipeBoth passes on an end that was told before", async () => {
    const client = await halfClosed();
    const [upstream, upstreamPeer] = pair();
    const piped = pipeBoth(client, upstream);
    const bytes = Buffer.alloc(10);
    await until(() => read(upstreamPeer, bytes) === 0, "the end");
    write(upstreamPeer, Buffer.from("answer"));
    shutdown(upstreamPeer, "write");
    expect(await piped).toEqual({ aToB: 0, bToA: 6 });
  });

  it("a line that detaches the connection returns what follows it", async () => {
    let taken: Detached | null = null;
    const onLine = (connection: Connection) => {
      taken = connection.detach();
    };
    const [, peer] = pair(lines({ onLine }));
    write(peer, Buffer.from("UPGRADE\npayload\nand more"));
    await until(() => taken !== null, "the line");
    const { fd, unread } = taken as unknown as Detached;
    expect(String(unread)).toBe("payload\nand more");
    close(fd);
  });

  it("a connection whose peer has refused a write cannot be detached", async () => {
    const [fd, peer] = socketPair();
    let failure: Error | null = null;
    const onClose = (_connection: Connection, error: Error | null) => {
      failure = error;
    };
    const connection = adopt(fd, { data() {}, close: onClose }, way);
    await new Promise((resolve) => setImmediate(resolve)); // it is watched
    write(peer, Buffer.from("x"));
    close(peer);
    connection.write("y");
    expect(() => connection.detach()).toThrow(
      expect.objectContaining({ code: "ERR_CONNECTION_CLOSED" }),
    );
    await until(() => connection.closed, "the close");
    expect(failure).toMatchObject({ code: expect.stringMatching(/EPIPE|ECONNRESET/) });
  });

  it("a stream follows an iterator after the close, with what that has not given", async () => {
    for (const destroys of [false, true]) {
      const [connection, peer] = pair();
      connection[Symbol.asyncIterator]();
      write(peer, Buffer.from("left"));
      if (!destroys) shutdown(peer, "write");
      await delay(20); // the iterator has it
      if (destroys) connection.destroy();
      else connection.end();
      await until(() => connection.closed, "the close");
      const reading = text(toDuplex(connection)).catch((error) => error.code);
      expect(await reading).toBe(destroys ? "ERR_STREAM_PREMATURE_CLOSE" : "left");
    }
  });

  it("pipeBoth rejects if a side that has ended would have to send", async () => {
    const [[a], [b, peer]] = [pair(), pair()];
    a.end();
    const piped = pipeBoth(a, b);
    write(peer, Buffer.from("x"));
    await expect(piped).rejects.toMatchObject({ code: "ERR_STREAM_WRITE_AFTER_END" });
  });

  it("a stream over a connection that has ended its side fails, and throws nothing", async () => {
    const [connection] = pair();
    const stream = toDuplex(connection);
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => stream.once("error", resolve));
    connection.end();
    expect(() => stream.write("x")).not.toThrow();
    expect((await failed).code).toBe("ERR_STREAM_WRITE_AFTER_END");
  });

  it("a stream with a signal that is aborted already closes the connection", async () => {
    const [connection] = pair();
    const stream = toDuplex(connection, { signal: AbortSignal.abort() });
    const error = await new Promise<Error>((resolve) => stream.once("error", resolve));
    expect(error.name).toBe("AbortError");
    await until(() => connection.closed, "the close");
  });

  it("`bufferedBytes` becomes 0 although another write has forced a flush", async () => {
    const [[a], [b]] = [pair(), pair()];
    a.write("x");
    b.write(new Uint8Array(20_000));
    await until(() => a.bufferedBytes === 0, "all to be sent");
  });

  it("`write` does not count what earlier turns have sent beside large writes", async () => {
    const room = new Uint8Array(64 * 1024);
    const taken: boolean[] = [];
    const [b, peerOfB] = pair();
    const [, peerOfA] = pair({
      data(a) {
        taken.push(a.write(new Uint8Array(10_000)));
        b.write(new Uint8Array(20_000));
      },
    });
    for (let i = 1; i <= 10; i++) {
      write(peerOfA, Buffer.from("x"));
      await until(() => taken.length === i, "the turn");
      for (const peer of [peerOfA, peerOfB]) while (read(peer, room) > 0);
    }
    expect(taken).toEqual(Array(10).fill(true));
  });

  it("one that was held back receives again beside large writes", async () => {
    const room = new Uint8Array(64 * 1024);
    let answers = 0;
    const [b, peerOfB] = pair();
    const [, peerOfA] = pair({
      data(a) {
        for (let i = 0; i < 7; i++) a.write(new Uint8Array(10_000));
        b.write(new Uint8Array(20_000));
        answers++;
      },
    });
    for (let i = 1; i <= 3; i++) {
      write(peerOfA, Buffer.from("x"));
      await until(() => answers === i, "the answer");
      for (const peer of [peerOfA, peerOfB]) while (read(peer, room) > 0);
    }
  });

  it("`destroy` refuses anything but an Error, which a stream may be given", async () => {
    const [connection] = pair();
    for (const wrong of [5, "a reason", {}] as never[]) {
      expect(() => connection.destroy(wrong)).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_ARG_TYPE" }),
      );
    }
    expect(connection.closed).toBe(false);
    toDuplex(connection)
      .on("error", () => {})
      .destroy("a reason" as never);
    await until(() => connection.closed, "the close");
  });

  const readiness = it.skipIf(name === "io_uring");
  readiness("a closed server leaves the next one of its number alone", async () => {
    const fd = listenTcp();
    const first = start({ data() {} }, { ...way, fd, maxConnections: 9 });
    for (let i = 0; i < 2; i++) await socketTo(first);
    await until(() => first.connections === 2, "both");
    void first.close({ connections: "destroy" });
    let next = listenTcp();
    while (next !== fd && peers.length < 64) {
      peers.push(next);
      next = listenTcp();
    }
    expect(next).toBe(fd);
    const second = start({ data() {} }, { ...way, fd: next });
    for (let i = 0; i < 4; i++) await socketTo(second);
    await until(() => second.connections === 4, "all four");
  });
});

describe("a refusal", () => {
  /** Whether O_NONBLOCK is set. proc_pid_fdinfo(5) */
  const isNonBlocking = (fd: number) => {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return (Number.parseInt(flags ?? "0", 8) & 0o4000) !== 0;
  };

  it.runIf(process.platform === "linux")("gives a descriptor back as it was", () => {
    const fd = openSync("package.json", "r");
    peers.push(fd);
    // epoll takes no regular files.
    expect(() => adopt(fd, { data() {} }, { backend: "epoll" })).toThrow(/EPERM/);
    expect(isNonBlocking(fd)).toBe(false);
  });

  it("leaves no socket file", () => {
    const path = `/tmp/io-selectors-refused-${process.pid}`;
    const selector = new DefaultSelector();
    const reactor = new Reactor(selector);
    selector.close();
    expect(() => serve({ path, reactor }, {})).toThrow();
    const again = start({}, { path });
    expect(again.closed).toBe(false);
  });

  it("is told for an encoding whose newline has two bytes", () => {
    for (const encoding of ["utf16le", "utf-16le", "UCS-2"] as BufferEncoding[]) {
      expect(() => lines({ encoding, onLine() {} })).toThrow(/two bytes/);
    }
  });
});
