// Framing: lines and length-prefixed messages, in pieces of every size, and what is refused.

import { describe, expect, it } from "vitest";
import { type Connection, type ConnectionHandlers, lengthPrefixed, lines } from "../src/index.ts";
import { connectionTo, pattern, receiveAll, socketTo, start, until } from "./connections/pairs.ts";

/** Sends pieces, each of which the server has received before the next one leaves. */
async function send(handlers: ConnectionHandlers, pieces: readonly (string | Uint8Array)[]) {
  let received = 0;
  let error: Error | null | undefined;
  const server = start({
    ...handlers,
    data(connection, bytes) {
      received += bytes.length;
      handlers.data?.(connection, bytes);
    },
    close(connection, reason) {
      error = reason;
      handlers.close?.(connection, reason);
    },
  });
  const socket = await socketTo(server);
  socket.on("error", () => {}).resume();
  let sent = 0;
  for (const piece of pieces) {
    if (error !== undefined) break;
    socket.write(piece);
    sent += Buffer.byteLength(piece);
    await until(() => received === sent || error !== undefined, "a piece");
  }
  socket.end();
  await until(() => error !== undefined, "the close");
  return error as NodeJS.ErrnoException | null;
}

const cut = (text: string | Buffer, size: number) => {
  const bytes = Buffer.from(text as string);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
};

describe("lines", () => {
  const text = "first\r\n\nthird é\nfourth\r\r\nlast";
  const expected = ["first", "", "third é", "fourth\r", "last"];

  it.each([1, 2, 3, 5, 7, 100])("come whole out of pieces of %i bytes", async (size) => {
    const got: string[] = [];
    const error = await send(lines({ onLine: (_c, line) => got.push(line) }), cut(text, size));
    expect(got).toEqual(expected);
    expect(error).toBeNull();
  });

  it("come as bytes, as views of what was received", async () => {
    const got: string[] = [];
    const onLine = (_c: Connection, line: Uint8Array) => got.push(Buffer.from(line).toString());
    await send(lines({ encoding: null, onLine }), [text]);
    expect(got).toEqual(expected);
  });

  it.each([
    ["in one piece", ["x".repeat(11)]],
    ["in two", ["x".repeat(6), "x".repeat(6)]],
    ["with its newline", [`${"x".repeat(11)}\n`]],
    ["after another line", [`ok\n${"x".repeat(11)}`]],
  ])("are refused where they are too long: %s", async (_case, pieces) => {
    const error = await send(lines({ longest: 10, onLine() {} }), pieces);
    expect(error).toMatchObject({ name: "FramingError", code: "ERR_FRAME_TOO_LONG" });
    expect(error?.message).toBe("the peer sent a line of more than 10 bytes");
  });

  it("may be as long as `longest`, \\r\\n not counted", async () => {
    const got: string[] = [];
    const handlers = lines({ longest: 10, onLine: (_c, line) => got.push(line) });
    expect(await send(handlers, ["0123456789\r", "\n0123456789\n"])).toBeNull();
    expect(got).toEqual(["0123456789", "0123456789"]);
  });

  it("are answered to by onRefused, if there is one", async () => {
    const server = start(
      lines({
        longest: 3,
        onLine() {},
        onRefused: (connection, error) => connection.end(error.code),
      }),
    );
    const socket = await socketTo(server, { allowHalfOpen: true });
    socket.write("too long");
    expect(String(await receiveAll(socket))).toBe("ERR_FRAME_TOO_LONG");
    socket.end("\nmore\n");
    await until(() => server.connections === 0, "the close of a connection that was answered");
  });

  it("stop at a pause, and go on after it, with other handlers if there are", async () => {
    const got: string[] = [];
    const raw: ConnectionHandlers = { data: (_c, bytes) => got.push(`raw ${Buffer.from(bytes)}`) };
    const server = start(
      lines({
        onLine(connection, line) {
          got.push(line);
          if (line !== "pause" && line !== "switch") return;
          connection.pause();
          setTimeout(() => {
            got.push("resume");
            if (line === "switch") connection.setHandlers(raw);
            connection.resume();
          }, 5);
        },
      }),
    );
    const socket = await socketTo(server);
    socket.write("a\npause\nb\nswitch\nrest\n");
    await until(() => got.some((item) => item.startsWith("raw")), "the rest");
    expect(got).toEqual(["a", "pause", "resume", "b", "switch", "resume", "raw rest\n"]);
  });

  it("wait until the peer has taken the answers to those before", async () => {
    const answer = "x".repeat(60_000);
    let answered = 0;
    let most = 0;
    const server = start(
      lines({
        onLine(connection) {
          answered++;
          connection.write(answer);
          most = Math.max(most, connection.bufferedBytes);
        },
      }),
    );
    const socket = await socketTo(server);
    socket.pause();
    socket.write("g\n".repeat(10_000));
    await until(() => answered > 1, "an answer that the peer does not take");
    await new Promise((resolve) => setTimeout(resolve, 50));
    // One high-water mark, and the answer that exceeded it.
    expect(most).toBeLessThan(2 * 64 * 1024 + answer.length);
    expect(answered).toBeLessThan(1000);
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    await until(() => bytes >= 200 * answer.length, "further answers");
    expect(most).toBeLessThan(2 * 64 * 1024 + answer.length);
  });

  it("may be answered later, also the last one without a newline", async () => {
    const calls: string[] = [];
    const server = start(
      lines({
        onLine(connection, line) {
          connection.pause();
          setTimeout(() => {
            connection.write(`${line}!`);
            connection.resume();
          }, 20);
        },
        end: () => void calls.push("end"),
        close: (_c, error) => void calls.push(`close ${error}`),
      }),
    );
    const socket = await socketTo(server, { allowHalfOpen: true });
    socket.end("one\ntwo");
    expect(String(await receiveAll(socket))).toBe("one!two!");
    await until(() => calls.length === 2, "the close");
    expect(calls).toEqual(["end", "close null"]);
  });

  it("have no end after a last one that destroys the connection", async () => {
    const calls: string[] = [];
    const onLine = (connection: Connection) => connection.destroy();
    await send(lines({ onLine, end: () => void calls.push("end") }), ["a"]);
    expect(calls).toEqual([]);
  });

  it("are refused in an encoding that Node does not know", () => {
    const options = { encoding: "klingon" as BufferEncoding, onLine: () => {} };
    expect(() => lines(options)).toThrow(/encoding is "klingon", which Node does not know/);
  });

  it("stop at destroy", async () => {
    const got: string[] = [];
    const onLine = (connection: Connection, line: string) => {
      got.push(line);
      connection.destroy();
    };
    await send(lines({ onLine }), ["a\nb\n"]);
    expect(got).toEqual(["a"]);
  });

  it("pass the other handlers through", async () => {
    const calls: string[] = [];
    const handlers = lines({
      onLine: () => calls.push("line"),
      open: () => void calls.push("open"),
      end: () => void calls.push("end"),
      close: () => void calls.push("close"),
    });
    await send(handlers, ["a\nb"]);
    expect(calls).toEqual(["open", "line", "line", "end", "close"]);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 40])("refuse %d as the longest", (longest) => {
    expect(() => lines({ longest, onLine() {} })).toThrow(/longest is .*from 1 to 2147483647/);
  });
});

describe("an object of a class", () => {
  class Counter {
    readonly #said: string[] = [];
    open() {
      this.#said.push("open");
    }
    onLine(_connection: Connection, line: string) {
      this.#said.push(line);
    }
    onMessage(_connection: Connection, message: Uint8Array) {
      this.#said.push(Buffer.from(message).toString("latin1"));
    }
    close() {
      this.#said.push("close");
    }
    get said(): readonly string[] {
      return this.#said;
    }
  }

  it.each([
    ["lines", lines, "a\nb\n"],
    ["lengthPrefixed", lengthPrefixed, "\0\0\0\x01a\0\0\0\x01b"],
  ] as const)("has its methods called by %s", async (_name, make, sent) => {
    const counter = new Counter();
    const server = start(make(counter));
    const socket = await socketTo(server);
    socket.resume().end(sent);
    await until(() => counter.said.includes("close"), "the end");
    expect(counter.said).toEqual(["open", "a", "b", "close"]);
  });
});

describe("length-prefixed messages", () => {
  const formats = [
    [{ prefixBytes: 1 }, 200],
    [{ prefixBytes: 2 }, 60_000],
    [{ prefixBytes: 2, littleEndian: true }, 60_000],
    [{ prefixBytes: 4, longest: 1 << 20 }, 1 << 20],
    [{ littleEndian: true }, 65_536],
  ] as const;

  it.each(formats)("go there and back by %j", async (format, longest) => {
    const messages = [0, 1, 7, longest - 1, longest].map(pattern);
    const frames = lengthPrefixed({
      ...format,
      onMessage: (connection, message) => frames.send(connection, message),
    });
    const server = start(frames);
    const got: Buffer[] = [];
    const own = lengthPrefixed({
      ...format,
      onMessage: (_c, message) => got.push(Buffer.from(message)),
    });
    const client = await connectionTo(server, own);
    for (const message of messages) own.send(client, message);
    await until(() => got.length === messages.length, "the echoes");
    expect(got.map((message, i) => message.equals(messages[i] as Buffer))).not.toContain(false);
  });

  it.each([1, 3, 4, 5])("come whole out of pieces of %i bytes", async (size) => {
    const got: string[] = [];
    const bytes = Buffer.from("\0\0\0\x05hello\0\0\0\0\0\0\0\x02yo", "latin1");
    const onMessage = (_c: Connection, message: Uint8Array) => got.push(`${Buffer.from(message)}`);
    expect(await send(lengthPrefixed({ onMessage }), cut(bytes, size))).toBeNull();
    expect(got).toEqual(["hello", "", "yo"]);
  });

  it("are refused by their length alone", async () => {
    const error = await send(lengthPrefixed({ longest: 100, onMessage() {} }), ["\0\0\0\x65"]);
    expect(error).toMatchObject({ code: "ERR_FRAME_TOO_LONG" });
    expect(error?.message).toContain("a message of more than 100 bytes");
  });

  it("are refused where the connection ends within one", async () => {
    const error = await send(lengthPrefixed({ onMessage() {} }), ["\0\0\0\x05hel"]);
    expect(error).toMatchObject({ code: "ERR_FRAME_CUT_OFF" });
    expect(error?.message).toContain("after 7 bytes of a message and its length");
  });

  it.each([
    ["too long", "\xff\xff\xff\xff and more", "ERR_FRAME_TOO_LONG"],
    ["cut off", "\0\0", "ERR_FRAME_CUT_OFF"],
  ])("may be answered to later where one is %s and the peer has ended", async (_n, sent, code) => {
    const server = start(
      lengthPrefixed({
        onMessage() {},
        onRefused(connection, error) {
          setTimeout(() => connection.end(error.code), 20);
        },
      }),
    );
    const socket = await socketTo(server, { allowHalfOpen: true });
    socket.end(sent, "latin1");
    expect(String(await receiveAll(socket))).toBe(code);
    await until(() => server.connections === 0, "the close");
  });

  it("cannot be sent longer than `longest`, nor with a prefix that is too small", async () => {
    const frames = lengthPrefixed({ longest: 3, onMessage() {} });
    expect(() => frames.send({} as Connection, "four")).toThrow(/4 bytes: longest is 3/);
    const written: unknown[] = [];
    const connection = { write: (bytes: unknown) => written.push(bytes) } as unknown as Connection;
    for (const wrong of [null, 42, new Uint16Array(1), { length: 2 }]) {
      const message = wrong as unknown as Uint8Array;
      expect(() => frames.send(connection, message)).toThrow(/a Uint8Array or a string is needed/);
    }
    expect(written).toEqual([]);
    const small = { prefixBytes: 1, longest: 256, onMessage() {} } as const;
    expect(() => lengthPrefixed(small)).toThrow(/longest is 256; .* from 1 to 255/);
    const data = { onMessage() {}, data() {} } as unknown as typeof small;
    expect(() => lengthPrefixed(data)).toThrow(/data is not allowed here/);
    const odd = { prefixBytes: 3, onMessage() {} } as never;
    expect(() => lengthPrefixed(odd)).toThrow(/prefixBytes is 3; 1, 2 or 4/);
  });
});
