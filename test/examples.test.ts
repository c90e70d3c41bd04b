// The examples, each run as its head says, with input, connections and interrupts.

import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes, scryptSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer as readAll } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { close, openPty } from "../src/index.ts";

const linux = process.platform === "linux";
const missing = (tool: string) => spawnSync(tool, ["--version"]).error !== undefined;
const execute = promisify(execFile);
const running = new Set<ChildProcess>();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
  rmSync(folder, { recursive: true });
});

class Example {
  readonly child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  #output = "";

  constructor(command: string, ...args: string[]) {
    this.child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    running.add(this.child);
    this.#exited = once(this.child, "close").finally(() => running.delete(this.child));
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
  }

  static run(name: string, ...args: string[]): Example {
    return new Example(process.execPath, join("dist", "examples", `${name}.js`), ...args);
  }

  /** Waits until it has said that. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (let i = 0; i < 6000; i++) {
      const found = pattern.exec(this.#output);
      if (found !== null) return found;
      await delay(10);
    }
    throw new Error(`not said: ${pattern}; but: ${this.#output}`);
  }

  /** @returns its exit code, or the signal that ended it, and all that it said. */
  async ended(): Promise<{ code: unknown; output: string }> {
    const [code, signal] = await this.#exited;
    return { code: code ?? signal, output: this.#output };
  }
}

describe("01-watch-a-fifo", () => {
  it("prints what one writer after another puts in, until it is interrupted", async () => {
    const path = join(folder, "fifo");
    const example = Example.run("01-watch-a-fifo", path);
    await example.said(/watching/);
    for (const word of ["hello", "again"]) {
      await writeFile(path, `${word}\n`);
      await example.said(new RegExp(word));
    }
    example.child.kill("SIGINT");
    expect(await example.ended()).toEqual({ code: 0, output: `watching ${path}\nhello\nagain\n` });
  });

  it("says how it is used", async () => {
    const { code, output } = await Example.run("01-watch-a-fifo").ended();
    expect(output).toContain("usage:");
    expect(code).toBe(1);
  });
});

describe("02-echo-server", () => {
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  });

  async function start(...shell: string[]): Promise<{ example: Example; port: number }> {
    const file = join("dist", "examples", "02-echo-server.js");
    const example =
      shell.length === 0
        ? Example.run("02-echo-server")
        : new Example("sh", "-c", [...shell, `exec "$0" ${file}`].join("; "), process.execPath);
    const [, port] = await example.said(/echo on port (\d+)/);
    return { example, port: Number(port) };
  }

  async function open(port: number): Promise<Socket> {
    const socket = connect(port, "127.0.0.1");
    sockets.add(socket);
    await once(socket, "connect");
    return socket;
  }

  async function echo(socket: Socket, text: string): Promise<string> {
    socket.write(text);
    const [chunk] = await once(socket, "data");
    return String(chunk);
  }

  it("sends back what many clients say", async () => {
    const { example, port } = await start();
    const clients = await Promise.all(Array.from({ length: 100 }, () => open(port)));
    const answers = await Promise.all(clients.map((socket, i) => echo(socket, `client ${i}`)));
    expect(answers).toEqual(clients.map((_, i) => `client ${i}`));
    example.child.kill("SIGTERM");
    expect((await example.ended()).code).toBe(0);
  });

  it("keeps what a slow reader leaves, in order, and closes after it", async () => {
    const { port } = await start();
    const socket = await open(port);
    const sent = Buffer.alloc(32 * 1024 * 1024, "0123456789abcdef."); // more than buffers hold
    socket.end(sent);
    await delay(200); // its way back is full by now, so that it has stopped reading
    const received = await readAll(socket);
    expect(received.equals(sent)).toBe(true);
  });

  it("survives a client that breaks off", async () => {
    const { port } = await start();
    const rude = await open(port);
    rude.write("x");
    rude.resetAndDestroy();
    expect(await echo(await open(port), "polite")).toBe("polite");
  });

  it("waits for descriptors if there are none left", async () => {
    const { port } = await start("ulimit -n 128");
    const first = await open(port);
    const others = await Promise.all(Array.from({ length: 128 }, () => open(port)));
    expect(await echo(first, "still here")).toBe("still here");
    for (const socket of others) socket.destroy();
    expect(await echo(await open(port), "room again")).toBe("room again");
  });
});

describe("03-wake-a-worker", () => {
  it("is woken once for three jobs, then reads its pipe", async () => {
    const { code, output } = await Example.run("03-wake-a-worker").ended();
    expect(output).toBe('woken for 3 jobs\nthe pipe said "bye"\n');
    expect(code).toBe(0);
  });
});

describe("04-talk-to-a-terminal", () => {
  it("shows what a command says to a terminal, and ends as it does", async () => {
    const command = ["sh", "-c", "test -t 1 && echo a terminal; exit 3"];
    const { code, output } = await Example.run("04-talk-to-a-terminal", ...command).ended();
    expect(output).toBe("a terminal\r\n");
    expect(code).toBe(3);
  });

  it("says which command cannot be started", async () => {
    const { code, output } = await Example.run("04-talk-to-a-terminal", "no-such-command").ended();
    expect(output).toContain("spawn no-such-command ENOENT");
    expect(code).toBe(1);
  });
});

describe.skipIf(!linux)("05-timer-counter-folder", () => {
  it("hears of the counter, both folders and the timer", async () => {
    const second = join(folder, "second");
    const hear = async () => {
      rmSync(join(folder, "new-file"), { force: true });
      mkdirSync(second);
      const example = Example.run("05-timer-counter-folder", folder, second);
      await example.said(/watching/);
      writeFileSync(join(folder, "new-file"), "");
      writeFileSync(join(second, "another"), "");
      rmSync(second, { recursive: true });
      return await example.ended();
    };
    // It listens for a second, in which this process may stand still.
    let heard = await hear();
    for (let again = 0; again < 2 && !heard.output.includes("gone: "); again++)
      heard = await hear();
    const { code, output } = heard;
    expect(output).toContain("the counter was at 7");
    expect(output).toContain(`changed: new-file in ${folder}\n`);
    expect(output).toContain(`changed: another in ${second}\n`);
    expect(output).toContain(`gone: ${second}\n`);
    // More at once where the example stood still.
    expect(output).toMatch(/the timer has expired [2-9] times/);
    expect(code).toBe(0);
  });
});

describe("06-http-hello", () => {
  const hello = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello, world!\n";

  async function start(): Promise<string> {
    const [url] = await Example.run("06-http-hello").said(/http:\S+/);
    return url;
  }

  /** Says each piece on one connection, a moment apart. @returns all that it hears to the end. */
  async function say(url: string, ...pieces: string[]): Promise<string> {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const heard = readAll(socket);
    for (const piece of pieces) {
      socket.write(piece);
      await delay(20);
    }
    return (await heard).toString();
  }

  it.skipIf(missing("curl"))("greets curl twice on one connection", async () => {
    const url = await start();
    const args = ["--silent", "--verbose", `${url}one`, `${url}two`];
    const { stdout, stderr } = await execute("curl", args);
    expect(stdout).toBe("Hello, world!\nHello, world!\n");
    expect(stderr).toMatch(/re-using/i);
    const head = await execute("curl", ["--silent", "--head", url]);
    expect(head.stdout).toBe(hello.replace("Hello, world!\n", ""));
    const post = ["--silent", "--data", "x=1", "--write-out", "%{http_code}", url];
    expect((await execute("curl", post)).stdout).toBe("400");
  });

  it.skipIf(missing("wrk"))("bears wrk without an error", async () => {
    const args = ["--duration", "1", "--connections", "20", "--threads", "1", await start()];
    const { stdout } = await execute("wrk", args);
    expect(stdout).toMatch(/[1-9]\d* requests in/);
    expect(stdout).not.toMatch(/Non-2xx|Socket errors/);
  });

  it("answers requests in pieces and several at once, in order", async () => {
    const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const last = "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n";
    const answers = await say(await start(), "GET / HT", "TP/1.1\r\n\r", "\n", request + last);
    expect(answers).toBe(`${hello}${hello}${hello.replace("Hello, world!\n", "")}`);
  });

  it.each([
    ["no HTTP", "good morning\r\n\r\n"],
    ["a body", "GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"],
    ["a head without end", "GET / HTTP/1.1\r\nX: ".padEnd(16 * 1024 + 1, "x")],
  ])("refuses %s", async (_, request) => {
    expect(await say(await start(), request)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
  });
});

describe("07-serial-port", () => {
  it("asks the device that it made", async () => {
    const { code, output } = await Example.run("07-serial-port").ended();
    expect(output).toBe("TEMP? 21.5\nHUMIDITY? ERROR\n");
    expect(code).toBe(0);
  });

  it("says that no server answers", async () => {
    const { controller, terminal, path } = openPty();
    const { code, output } = await Example.run("07-serial-port", path).ended();
    for (const fd of [controller, terminal]) close(fd);
    expect(output).toContain(`${path}: no answer to TEMP?`);
    expect(code).toBe(1);
  });
});

describe("08-await-with-abort", () => {
  const paths = () => [join(folder, "one"), join(folder, "two")] as const;

  it("follows both until it is interrupted", async () => {
    const [one, two] = paths();
    const example = Example.run("08-await-with-abort", "60", one, two);
    await example.said(/following 2/);
    await writeFile(two, "hello\n");
    await example.said(/two: hello/);
    await writeFile(one, "again\n");
    await example.said(/one: again/);
    example.child.kill("SIGINT");
    const { code, output } = await example.ended();
    expect(output).toMatch(/ended: interrupted\n$/);
    expect(code).toBe(0);
  });

  it("ends when the time is up", async () => {
    const { code, output } = await Example.run("08-await-with-abort", "0.05", ...paths()).ended();
    expect(output).toMatch(/^following 2\nended: .*timeout\n$/);
    expect(code).toBe(0);
  });
});

/** A client of one of the servers below. */
async function clientOf(example: Example): Promise<Socket> {
  const [, port] = await example.said(/port (\d+)/);
  return connect(Number(port), "127.0.0.1");
}

describe("09-key-value-server", () => {
  it("answers commands in order, however they come", async () => {
    const client = await clientOf(Example.run("09-key-value-server"));
    const answers = readAll(client);
    client.write("set colour dark bl");
    await delay(20);
    client.end("ue\nget colour\nget size\ndelete colour\nget colour\nnonsense");
    expect((await answers).toString().split("\n")).toEqual([
      "ok",
      "value dark blue",
      "missing",
      "ok",
      "missing",
      "error: get KEY, set KEY VALUE or delete KEY",
      "",
    ]);
  });

  it("bears a client that pipelines a million bytes of answers and reads them late", async () => {
    const client = await clientOf(Example.run("09-key-value-server"));
    const value = "x".repeat(10_000);
    client.write(`set key ${value}\n`);
    client.end("get key\n".repeat(3000)); // 30 MB of answers
    await delay(100);
    const answers = (await readAll(client)).toString();
    expect(answers === `ok\n${`value ${value}\n`.repeat(3000)}`).toBe(true);
  });

  it("refuses a line without end", async () => {
    const client = await clientOf(Example.run("09-key-value-server"));
    client.write("x".repeat(100_000));
    const answer = (await readAll(client)).toString();
    expect(answer).toBe("error: the peer sent a line of more than 65536 bytes\n");
  });
});

describe("10-many-fifos", () => {
  it("prints what comes out of a thousand, without the pool", async () => {
    const paths = Array.from({ length: 1000 }, (_, i) => join(folder, `fifo-${i}`));
    const file = join("dist", "examples", "10-many-fifos.js");
    const shell = 'ulimit -n 4096; UV_THREADPOOL_SIZE=1 exec "$0" "$@"';
    const example = new Example("sh", "-c", shell, process.execPath, file, ...paths);
    await example.said(/following 1000/);
    for (const i of [0, 500, 999]) {
      await writeFile(paths[i] ?? "", `hello ${i}\n`);
      await example.said(new RegExp(`fifo-${i}: hello ${i}\n`));
    }
    example.child.kill("SIGINT");
    expect((await example.ended()).code).toBe(0);
  });
});

describe("11-proxy", () => {
  it("passes on both directions, their ends and their errors", async () => {
    const upstream = Example.run("02-echo-server");
    const [, port = ""] = await upstream.said(/port (\d+)/);
    const client = await clientOf(Example.run("11-proxy", "localhost", port));
    const sent = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef.");
    const received = readAll(client);
    client.end(sent);
    expect((await received).equals(sent)).toBe(true);
    const nowhere = Example.run("11-proxy", "127.0.0.1", "1");
    await once(await clientOf(nowhere), "close");
    await nowhere.said(/proxy: connect ECONNREFUSED 127.0.0.1:1\n/);
  });
});

describe("12-client-with-back-off", () => {
  it("waits for a server that comes late", async () => {
    const first = Example.run("09-key-value-server");
    const [, port = ""] = await first.said(/port (\d+)/);
    first.child.kill("SIGTERM");
    await first.ended();
    const client = Example.run("12-client-with-back-off", `127.0.0.1:${port}`, "get", "colour");
    await client.said(/connect ECONNREFUSED .*; again in at most 200 ms/);
    Example.run("09-key-value-server", port);
    const { code, output } = await client.ended();
    expect(output).toMatch(/\nmissing\n$/);
    expect(code).toBe(0);
  });

  it("ends at once if it is interrupted while the server is silent", async () => {
    const silent = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const client = Example.run("12-client-with-back-off", `127.0.0.1:${port}`, "get", "colour");
    const [peer] = (await once(silent, "connection")) as [Socket];
    await once(peer, "data");
    client.child.kill("SIGINT");
    const { code } = await client.ended();
    expect(code).toBe(130);
    peer.destroy();
    silent.close();
  });
});

describe("13-redis-server", () => {
  it("answers arrays and inline commands, in pieces and several at once", async () => {
    const client = await clientOf(Example.run("13-redis-server"));
    const answers = readAll(client);
    const set = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$6\r\na\r\nb\xff\0\r\n";
    const get = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    const bytes = Buffer.from(`PING\r\n${set}${get}*1\r\n$4\r\nPING\r\nNOPE\r\n`, "latin1");
    for (let i = 0; i < bytes.length; i += 7) {
      client.write(bytes.subarray(i, i + 7));
      await delay(1);
    }
    client.end();
    expect((await answers).toString("latin1")).toBe(
      "+PONG\r\n+OK\r\n$6\r\na\r\nb\xff\0\r\n+PONG\r\n-ERR unknown command\r\n",
    );
  });

  it("closes a connection that breaks the protocol, and serves the others", async () => {
    const example = Example.run("13-redis-server");
    const rude = await clientOf(example);
    rude.write("*1\r\n:5\r\n");
    await readAll(rude);
    await example.said(/redis: Error: protocol error/);
    const polite = await clientOf(example);
    polite.end("PING\r\n");
    expect(String(await readAll(polite))).toBe("+PONG\r\n");
  });

  it.skipIf(missing("redis-benchmark"))("bears redis-benchmark", async () => {
    const [, port = ""] = await Example.run("13-redis-server").said(/port (\d+)/);
    const load = ["-t", "ping,set,get", "-n", "20000", "-P", "16", "-c", "200", "--csv"];
    const { stdout, stderr } = await execute("redis-benchmark", ["-p", port, ...load]);
    for (const test of ["PING_INLINE", "PING_MBULK", "SET", "GET"]) {
      expect(stdout).toMatch(new RegExp(`"${test}","[1-9][\\d.]*"`));
    }
    expect(stderr).not.toMatch(/error/i);
  });
});

describe("14-compress-a-fifo", () => {
  it("compresses 4 MB with equal checksums", async () => {
    const [path, output] = [join(folder, "fifo"), join(folder, "out.gz")];
    const example = Example.run("14-compress-a-fifo", path, output);
    await example.said(/reading/);
    const sent = randomBytes(1024 * 1024);
    const all = Buffer.concat(Array.from({ length: 4 }, () => sent));
    await writeFile(path, all);
    expect((await example.ended()).code).toBe(0);
    const sum = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    expect(sum(gunzipSync(readFileSync(output)))).toBe(sum(all));
  });
});

it("the servers and the proxy are as short as they say", () => {
  const codeLines = (name: string) =>
    readFileSync(join("examples", name), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("//")).length;
  expect(codeLines("11-proxy.ts")).toBeLessThanOrEqual(20);
  for (const name of ["02-echo-server.ts", "06-http-hello.ts", "09-key-value-server.ts"]) {
    expect(codeLines(name), name).toBeLessThanOrEqual(40);
  }
});

describe("17-offload-to-workers", () => {
  it("answers other connections while workers hash, each connection in order", async () => {
    const example = Example.run("17-offload-to-workers");
    const [, port] = await example.said(/hashing on port (\d+)/);
    const ask = async (...requests: string[]) => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.end(`${requests.join("\n")}\n`);
      return String(await readAll(socket))
        .trimEnd()
        .split("\n");
    };
    const order: string[] = [];
    const note = (name: string) => (answers: string[]) => {
      order.push(name);
      return answers;
    };
    // Eight hashes take half a second or more; a "ping" behind them on another connection does not.
    const passwords = Array.from({ length: 8 }, (_, i) => `password ${i}`);
    const hashed = ask(...passwords, "ping").then(note("hashes"));
    const [pong] = await ask("ping").then(note("ping"));
    const digests = passwords.map((password) =>
      scryptSync(password, "salt", 32, { N: 2 ** 15, maxmem: 2 ** 26 }).toString("hex"),
    );
    expect(await hashed).toEqual([...digests, "pong"]);
    expect({ pong, order }).toEqual({ pong: "pong", order: ["ping", "hashes"] });
    example.child.kill("SIGTERM");
    const { code, output } = await example.ended();
    expect({ code, output }).toEqual({ code: 0, output: `hashing on port ${port}\n` });
  });
});

describe("15-pass-connections", () => {
  it("has connections served by another process, until it is told to end", async () => {
    const example = Example.run("15-pass-connections");
    const [, port] = await example.said(/accepting on port (\d+)/);
    const pids = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const socket = connect(Number(port), "127.0.0.1");
      await once(socket, "connect");
      const greeting = String(await readAll(socket));
      const [, pid = "", name] = /^(\d+) greets (.*)\n$/.exec(greeting) ?? [];
      expect(name).toBe(`connection ${i + 1}`);
      pids.add(pid);
    }
    expect(pids.size).toBe(1);
    expect(pids).not.toContain(String(example.child.pid));
    example.child.kill("SIGTERM");
    const { code, output } = await example.ended();
    expect({ code, output }).toEqual({ code: 0, output: `accepting on port ${port}\n` });
  });
});

it("each numbered example has fewer than 60 lines and its command in its head", () => {
  const names = readdirSync("examples").filter((name) => /^\d/.test(name));
  for (const [i, name] of names.entries()) {
    const lines = readFileSync(join("examples", name), "utf8").split("\n");
    expect(lines.length, name).toBeLessThanOrEqual(60);
    expect(name.slice(0, 3)).toBe(`${String(i + 1).padStart(2, "0")}-`);
    const command = `npm run build && node dist/examples/${name.replace(".ts", ".js")}`;
    expect(lines.slice(0, 8).join("\n")).toContain(command);
  }
});
