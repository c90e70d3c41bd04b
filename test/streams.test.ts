// Streams over descriptors: what Node's own tests ask of a Duplex, on FIFOs, pipes, terminals and
// sockets, and what a whole process pays for them.

import { AsyncLocalStorage } from "node:async_hooks";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { fstatSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, finished, PassThrough, Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import {
  close,
  makeFifo,
  openFifo,
  openPty,
  pipe,
  read,
  socketPair,
  toDuplex,
  toReadable,
  toWebStreams,
  toWritable,
  write,
} from "../src/index.ts";

const bytes = new Uint8Array(256 * 1024);
const open = new Set<number>();
const keep = (fd: number) => {
  open.add(fd);
  return fd;
};
const shut = (fd: number) => {
  open.delete(fd);
  expect(close(fd)).toBe(0);
};
afterEach(() => {
  for (const fd of open) close(fd);
  open.clear();
});

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};
const isOpen = (fd: number) => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

/** Both ends of a socket pair, the one with the number of a descriptor that was closed first. */
function pairReusing(fd: number): [number, number] {
  for (;;) {
    const [a, b] = socketPair();
    if (keep(a) === fd) return [a, keep(b)];
    if (keep(b) === fd) return [b, a];
  }
}

describe("toReadable", () => {
  it("leaves the descriptor to the stream that reads it if a second one is refused", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    const first = toReadable(reader, { encoding: "utf8" });
    let heard = "";
    first.on("data", (words: string) => {
      heard += words;
    });
    const second = toReadable(reader);
    const refused = once(second, "error");
    second.resume();
    const [error] = (await refused) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ERR_SELECTOR_KEY_EXISTS");
    await turns(5);
    expect(isOpen(reader)).toBe(true);
    write(writer, Buffer.from("still here"));
    while (heard === "") await turns(1);
    expect(heard).toBe("still here");
    first.destroy();
    await once(first, "close");
    expect(isOpen(reader)).toBe(false);
  });

  it("closes its descriptor if it is destroyed with another stream's refusal", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    const first = toReadable(reader).resume();
    const [otherReader, otherWriter] = pipe();
    keep(otherReader);
    const code = "ERR_SELECTOR_KEY_EXISTS";
    const sink = toWritable(otherWriter);
    await expect(pipeline(toReadable(reader), sink)).rejects.toMatchObject({ code });
    await turns(5);
    expect(isOpen(otherWriter)).toBe(false);
    expect(isOpen(reader)).toBe(true);
    first.destroy();
    await once(first, "close");
  });

  it("reads for a listener that addListener() adds after a pause", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    const stream = toReadable(reader);
    stream.pause();
    const readable = new Promise<void>((resolve) => stream.addListener("readable", resolve));
    write(writer, Buffer.from("x"));
    await readable;
    stream.destroy();
    await once(stream, "close");
  });

  it("reads what is written, then ends and closes the descriptor", async () => {
    const [reader, writer] = pipe();
    const stream = toReadable(reader, { encoding: "utf8" });
    const all = text(stream);
    for (const word of ["one ", "two ", "three"]) {
      write(writer, Buffer.from(word));
      await turns(2);
    }
    close(writer);
    expect(await all).toBe("one two three");
    if (!stream.closed) await once(stream, "close");
    expect(isOpen(reader)).toBe(false);
  });

  it("ends without a byte, once it is read", async () => {
    const [reader, writer] = pipe();
    close(writer);
    const stream = toReadable(reader);
    stream.resume();
    await once(stream, "end");
  });

  it("reads no more than highWaterMark while nothing is consumed", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    write(writer, bytes.subarray(0, 60_000));
    const stream = toReadable(reader, { highWaterMark: 1000 });
    stream.once("readable", () => {});
    await once(stream, "readable");
    await turns(10);
    expect(stream.readableLength).toBe(1000);
    let left = 60_000;
    stream.on("data", (chunk: Buffer) => {
      expect(chunk.length).toBeLessThanOrEqual(1000);
      left -= chunk.length;
      if (left === 0) stream.destroy();
    });
    await once(stream, "close");
    expect(left).toBe(0);
  });

  it("is left by for await, which closes the descriptor", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    write(writer, Buffer.from("first"));
    const stream = toReadable(reader);
    for await (const chunk of stream) {
      expect(String(chunk)).toBe("first");
      break;
    }
    expect(isOpen(reader)).toBe(false);
  });

  it("closes the descriptor if its signal is aborted already", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    const stream = toReadable(reader, { signal: AbortSignal.abort() });
    const [error] = await once(stream, "error");
    expect(error.name).toBe("AbortError");
    expect(isOpen(reader)).toBe(false);
  });

  it("reads nothing from the next owner of its number once it is destroyed", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    let drain = () => {};
    const slow = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        drain = done;
      },
    });
    const stream = toReadable(reader);
    stream.pipe(slow);
    write(writer, Buffer.from("x"));
    while (slow.writableLength === 0) await turns(1);
    await turns(5);
    stream.destroy();
    await once(stream, "close");
    const [next, peer] = pairReusing(reader);
    write(peer, Buffer.from("not yours"));
    drain();
    await turns(5);
    expect(read(next, bytes)).toBe("not yours".length);
  });

  it("reads nothing from the next writer of a FIFO once it has read the end", async () => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
    const path = join(folder, "fifo");
    makeFifo(path);
    const reader = openFifo(path, "read");
    const stream = toReadable(reader).on("readable", () => {});
    const first = openFifo(path, "write");
    write(first, Buffer.from("x"));
    while (stream.readableLength === 0) await turns(1);
    close(first);
    await turns(10);
    stream.pause();
    stream.resume();
    write(keep(openFifo(path, "write")), Buffer.from("next"));
    await turns(5);
    expect(stream.errored).toBeNull();
    expect(read(reader, bytes)).toBe("next".length);
    stream.destroy();
    rmSync(folder, { recursive: true });
  });

  it("calls its listeners in the asynchronous context that it was made in", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const see = () => void seen.push(storage.getStore());
    for (const name of ["one", "another"]) {
      const [reader, writer] = pipe();
      keep(writer);
      const stream = storage.run(name, () => toReadable(reader));
      stream.on("data", see);
      await turns(2);
      write(writer, Buffer.from("x"));
      await once(stream, "data");
      stream.destroy();
    }
    expect(seen).toEqual(["one", "another"]);
  });

  it("leaves the descriptor open if autoClose is false", async () => {
    const [reader, writer] = pipe();
    keep(reader);
    close(writer);
    const stream = toReadable(reader, { autoClose: false }).resume();
    await once(stream, "close");
    expect(isOpen(reader)).toBe(true);
  });

  it("does not read while it is paused, and goes on", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    const got: string[] = [];
    const stream = toReadable(reader).on("data", (chunk) => got.push(String(chunk)));
    write(writer, Buffer.from("a"));
    await once(stream, "data");
    stream.pause();
    await turns(5);
    write(writer, Buffer.from("b"));
    await turns(5);
    expect(read(reader, bytes)).toBe(1); // the byte is still in the pipe
    write(writer, Buffer.from("c"));
    stream.resume();
    await once(stream, "data");
    expect(got).toEqual(["a", "c"]);
    stream.destroy();
  });

  it.each(["readable", "read"])("goes on after pause() by %s", async (how) => {
    const [reader, writer] = pipe();
    keep(writer);
    const stream = toReadable(reader);
    const ignore = () => {};
    stream.on("data", ignore);
    await turns(2);
    stream.pause();
    stream.off("data", ignore);
    write(writer, Buffer.from("x"));
    if (how === "read") stream.read();
    const ready = once(stream, "readable");
    await ready;
    expect(String(stream.read())).toBe("x");
    stream.destroy();
  });

  it("ends at the EIO of a pseudo-terminal", async () => {
    const { controller, terminal } = openPty();
    const all = text(toReadable(controller));
    write(terminal, Buffer.from("bye"));
    close(terminal);
    expect(await all).toBe("bye");
  });

  it("fails with the system's error", async () => {
    const [a, b] = socketPair();
    write(a, Buffer.from("never read"));
    close(b); // with bytes in it, which resets the connection
    const [error] = await once(toReadable(a).resume(), "error");
    expect(error).toMatchObject({
      code: "ECONNRESET",
      syscall: "read",
      errno: -constants.errno.ECONNRESET,
    });
  });

  it("refuses a regular file in words", async () => {
    const stream = toReadable(openSync("package.json", "r")).resume();
    const [error] = await once(stream, "error");
    expect(error.code).toBe("EPERM");
    expect(error.message).toMatch(
      /^cannot watch fd (\d+): \w+ EPERM \(fd \1 is a regular file or a folder: use node:fs\)$/,
    );
  });

  it("refuses what is no descriptor at once", () => {
    expect(() => toReadable(9999)).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect(() => toReadable(-1)).toThrow(RangeError);
  });

  it("refuses two readers of one descriptor, and names the way out", async () => {
    const [reader, writer] = pipe();
    keep(writer);
    const first = toReadable(reader).resume();
    const second = toReadable(reader, { autoClose: false }).resume();
    const [error] = await once(second, "error");
    expect(error.message).toMatch(/being read by another stream.*dup\(\)/);
    first.destroy();
  });

  it("hands what a listener throws to uncaughtException, and goes on", async () => {
    const [reader, writer] = pipe();
    const [other, otherWriter] = pipe();
    keep(writer);
    keep(otherWriter);
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    try {
      const thrown = once(process, "uncaughtException");
      toReadable(reader).on("data", () => {
        throw new Error("from a listener");
      });
      const stream = toReadable(other);
      write(writer, Buffer.from("x"));
      write(otherWriter, Buffer.from("y"));
      expect(((await thrown)[0] as Error).message).toBe("from a listener");
      expect(String((await once(stream.resume(), "data"))[0])).toBe("y");
      stream.destroy();
    } finally {
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });
});

describe("toWritable", () => {
  it("writes what the pipe does not take at once when it does", async () => {
    const [reader, writer] = pipe();
    const sent = randomBytes(3 * 1024 * 1024);
    const stream = toWritable(writer);
    expect(stream.write(sent)).toBe(false);
    let finish = false;
    stream.end(() => {
      finish = true;
    });
    await turns(5);
    expect(finish).toBe(false); // nothing has been read yet
    const chunks: Buffer[] = [];
    for await (const chunk of toReadable(reader)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
    expect(finish).toBe(true);
    expect(isOpen(writer)).toBe(false);
  });

  it("joins small chunks that wait for one another", async () => {
    const [a, b] = socketPair("seqpacket"); // keeps each write apart
    const stream = toWritable(a);
    stream.cork();
    for (const word of ["one", "two", "three"]) stream.write(word);
    stream.uncork();
    await turns(2);
    expect(read(keep(b), bytes)).toBe("onetwothree".length);
    stream.destroy();
  });

  it("fails with EPIPE once the reader has gone", async () => {
    const [reader, writer] = pipe();
    close(reader);
    const stream = toWritable(writer);
    stream.write("x");
    const [error] = await once(stream, "error");
    expect(error).toMatchObject({ code: "EPIPE", syscall: "write" });
  });

  it("tells a write that is under way that it was destroyed", async () => {
    const [reader, writer] = pipe();
    keep(reader);
    const stream = toWritable(writer);
    const told = new Promise((resolve) => stream.write(bytes, resolve));
    await turns(1);
    stream.destroy();
    expect(await told).toMatchObject({ code: "ECANCELED" });
    expect(isOpen(writer)).toBe(false);
  });
});

describe("toDuplex", () => {
  function pair(options = {}): [Duplex, Duplex] {
    const [a, b] = socketPair();
    return [toDuplex(a, options), toDuplex(b, options)];
  }

  it("half-closes a socket: the peer ends, and still answers", async () => {
    const [a, b] = pair();
    const received: string[] = [];
    a.on("data", (chunk) => received.push(`a ${chunk}`));
    b.on("data", (chunk) => received.push(`b ${chunk}`));
    a.end("question");
    await once(b, "end");
    expect(b.writable).toBe(true);
    b.end("answer");
    await Promise.all([once(a, "close"), once(b, "close")]);
    expect(received).toEqual(["b question", "a answer"]);
  });

  it("ends its own side with the peer's if allowHalfOpen is false", async () => {
    const [a, b] = pair({ allowHalfOpen: false });
    b.resume();
    a.end();
    a.resume();
    await Promise.all([once(a, "close"), once(b, "close")]);
    expect(b.writableFinished).toBe(true);
  });

  it("is destroyed with an error, once, and closes", async () => {
    const [a, b] = pair();
    const events: string[] = [];
    a.on("error", (error) => events.push(error.message)).on("close", () => events.push("close"));
    const over = new Promise((resolve) => a.on("close", resolve));
    a.destroy(new Error("first"));
    a.destroy(new Error("second"));
    await over;
    expect(events).toEqual(["first", "close"]);
    b.resume();
    await once(b, "end");
    b.destroy();
  });

  it("carries both ways at once, through a pipeline", async () => {
    const [a, b] = pair();
    const echo = pipeline(b, new PassThrough(), b);
    const sent = randomBytes(5 * 1024 * 1024);
    a.end(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of a) chunks.push(chunk);
    await echo;
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it("ends a pipeline that is aborted, and closes", async () => {
    const [a, b] = pair();
    const stop = new AbortController();
    const piping = pipeline(b, new Writable({ write: (_c, _e, done) => done() }), {
      signal: stop.signal,
    });
    stop.abort();
    await expect(piping).rejects.toMatchObject({ name: "AbortError" });
    expect(b.destroyed).toBe(true);
    a.destroy();
  });

  it("is destroyed by its signal", async () => {
    const stop = new AbortController();
    const [a, b] = pair({ signal: stop.signal });
    const over = new Promise((resolve) => finished(a, resolve));
    b.on("error", () => {});
    stop.abort();
    expect(await over).toMatchObject({ name: "AbortError" });
  });

  it("talks to a terminal by one descriptor", async () => {
    const { controller, terminal } = openPty();
    const stream = toDuplex(controller);
    stream.write("hello\n");
    await once(stream, "data"); // its echo
    expect(read(terminal, bytes)).toBe(6);
    shut(keep(terminal));
    await once(stream, "end");
    stream.destroy();
  });

  it.each(["destroy", "read"])(
    "ends a write if its descriptor was closed by other means: %s",
    async (how) => {
      const [a, b] = socketPair();
      keep(b);
      const stream = toDuplex(a).on("error", () => {});
      if (how === "destroy") stream.resume();
      const told = new Promise((resolve) => stream.write(Buffer.alloc(8 << 20), resolve));
      await turns(5);
      close(a);
      if (how === "destroy") stream.destroy();
      else stream.resume();
      expect(await told).toMatchObject({ code: "EBADF" });
      if (!stream.closed) await once(stream, "close");
      const [again, peer] = pairReusing(a);
      const next = toDuplex(again, { autoClose: false });
      write(peer, Buffer.from("x"));
      await once(next, "data");
      next.destroy();
    },
  );

  it("can be one reader and one writer of the same descriptor", async () => {
    const [a, b] = socketPair();
    const writer = toWritable(a, { autoClose: false });
    const reader = toReadable(a);
    const peer = toDuplex(b);
    peer.pipe(peer);
    const big = randomBytes(2 * 1024 * 1024);
    writer.end(big);
    const chunks: Buffer[] = [];
    for await (const chunk of reader) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(big)).toBe(true);
  });
});

describe("toWebStreams", () => {
  it("carries bytes both ways", async () => {
    const [a, b] = socketPair();
    const web = toWebStreams(a);
    toDuplex(b).on("data", function (this: Duplex, chunk) {
      this.end(`you said ${chunk}`);
    });
    const writer = web.writable.getWriter();
    await writer.write(Buffer.from("hello"));
    let answer = "";
    for await (const chunk of web.readable) answer += Buffer.from(chunk).toString();
    await writer.close();
    expect(answer).toBe("you said hello");
  });

  it("ends a read into the reader's own buffer", async () => {
    const [a, b] = socketPair();
    const reader = toWebStreams(a).readable.getReader({ mode: "byob" });
    write(b, Buffer.from("last words"));
    close(b);
    let text = "";
    for (;;) {
      const { value, done } = await reader.read(new Uint8Array(4));
      if (done) break;
      text += Buffer.from(value).toString();
    }
    expect(text).toBe("last words");
  });

  it("fails if the bytes end within an element of the reader's own buffer", async () => {
    const [a, b] = socketPair();
    const reader = toWebStreams(a).readable.getReader({ mode: "byob" });
    const reading = reader.read(new Uint16Array(4));
    write(b, Buffer.from("x"));
    close(b);
    await expect(reading).rejects.toThrow(TypeError);
    await expect(reader.closed).rejects.toThrow(TypeError);
  });

  it("refuses an encoding, which its bytes do not have", () => {
    const fds = socketPair();
    const options = { encoding: "utf8" } as object;
    expect(() => toWebStreams(fds[0], options)).toThrow(/has no encoding/);
    for (const fd of fds) close(fd);
  });
});

describe("a pipeline", () => {
  it("compresses 20 MB through pipes with equal checksums", async () => {
    const [reader, writer] = pipe();
    const [gzipped, gzipWriter] = pipe();
    const sent = createHash("sha256");
    const received = createHash("sha256");
    function* chunks() {
      for (let i = 0; i < 80; i++) {
        const chunk = Buffer.alloc(256 * 1024, `${i} ${Math.sin(i)} `);
        sent.update(chunk);
        yield chunk;
      }
    }
    await Promise.all([
      pipeline(Readable.from(chunks()), toWritable(writer)),
      pipeline(toReadable(reader), createGzip(), toWritable(gzipWriter)),
      pipeline(toReadable(gzipped), createGunzip(), received),
    ]);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
  });
});

describe("a process", () => {
  function run(name: string, environment: NodeJS.ProcessEnv = {}): string {
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      ["test/programs/stream-life.mjs", name],
      { encoding: "utf8", timeout: 60_000, env: { ...process.env, ...environment } },
    );
    expect({ status, signal }, stderr).toEqual({ status: 0, signal: null });
    return stdout;
  }

  it.each(["no-consumer", "paused", "unref", "unref-busy", "destroyed"])(
    "ends with a stream: %s",
    (name) => {
      expect(run(name)).toBe("");
    },
  );

  it("does not keep the context in which the first stream was made", () => {
    expect(run("context")).toBe("true");
  });

  it("lives while it reads", () => {
    expect(run("reading")).toBe("late");
  });

  it("reads 1,000 FIFOs at once without a thread of the pool", () => {
    expect(run("a-thousand", { UV_THREADPOOL_SIZE: "1" })).toBe('{"right":1000}');
  });

  it("closes the descriptors of a worker that is terminated", () => {
    expect(run("worker")).toBe('{"opened":true,"left":0}');
  });
});
