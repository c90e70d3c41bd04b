// The daemon that forwards FIFOs: both ends as processes, a connection that breaks, and other
// programs in the place of either end.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeFifo } from "../src/index.ts";
import { eventually, Program } from "./chat-processes.ts";

const missing = (tool: string, flag: string) => spawnSync(tool, [flag]).error !== undefined;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterEach(async () => {
  await Program.killAll();
  rmSync(folder, { recursive: true });
});

const daemonOf = (...args: readonly string[]) => Program.example("16-forward-fifos", ...args);

/** The lines that come out of a FIFO. */
class FifoReader {
  readonly lines: string[] = [];
  readonly #stream;

  constructor(path: string) {
    this.#stream = createReadStream(path);
    createInterface({ input: this.#stream }).on("line", (line) => this.lines.push(line));
  }

  async has(count: number): Promise<readonly string[]> {
    await eventually(
      () => this.lines.length >= count,
      () => `${count} lines, but ${this.lines.length}`,
    );
    return this.lines;
  }

  close(): void {
    this.#stream.destroy();
  }
}

async function receiver(port = 0): Promise<{ daemon: Program; port: number; inbox: string }> {
  const inbox = join(folder, "inbox");
  const daemon = daemonOf("receive", `127.0.0.1:${port}`, inbox);
  const bound = /receiving on 127\.0\.0\.1:(\d+)/;
  await daemon.said(bound);
  return { daemon, port: Number(bound.exec(daemon.errors)?.[1]), inbox };
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`);
const text = (lines: readonly string[]) => `${lines.join("\n")}\n`;

it("carries the lines of several FIFOs in order, each once, and ends cleanly", async () => {
  const { daemon, port, inbox } = await receiver();
  const fifos = ["one", "two"].map((name) => join(folder, name));
  const sender = daemonOf("send", ...fifos.map((path) => `${path}@127.0.0.1:${port}`));
  for (const path of fifos) await sender.said(new RegExp(`${path}: forwarding`));
  const lines = numbered(20_000); // more than the queue, the FIFOs and the sockets hold
  const writers = fifos.map((path) => {
    const cat = new Program("sh", ["-c", `cat > ${path}`]);
    cat.child.stdin?.end(text(lines));
    return cat;
  });
  await eventually(
    () => existsSync(join(inbox, "one")) && existsSync(join(inbox, "two")),
    () => "the FIFOs of the inbox",
  );
  const readers = ["one", "two"].map((name) => new FifoReader(join(inbox, name)));
  for (const reader of readers) expect(await reader.has(lines.length)).toEqual(lines);
  for (const writer of writers) expect(await writer.ended()).toBe(0);
  expect(await sender.stop(), sender.errors).toBe(0);
  expect(await daemon.stop(), daemon.errors).toBe(0);
  for (const reader of readers) reader.close();
});

it("waits for a receiver that comes late, and sends again what was not acknowledged", async () => {
  const fifo = join(folder, "late");
  makeFifo(fifo);
  const connections: Socket[] = [];
  // Takes everything, acknowledges two lines, and breaks off.
  const breaking = createServer((socket) => {
    connections.push(socket);
    let taken = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      taken += chunk;
      if (taken.split("\n").length < 6) return;
      socket.write("2\n", () => socket.destroy());
      breaking.close();
    });
  });
  breaking.listen(0, "127.0.0.1");
  await once(breaking, "listening");
  const { port } = breaking.address() as { port: number };
  const sender = daemonOf("send", `${fifo}@127.0.0.1:${port}`);
  await sender.said(/forwarding/);
  writeFileSync(fifo, text(numbered(5)));
  await sender.said(/again in \d+ ms/);
  expect(connections).toHaveLength(1);
  const { daemon, inbox } = await receiver(port);
  await eventually(
    () => existsSync(join(inbox, "late")),
    () => "the FIFO of the inbox",
  );
  const reader = new FifoReader(join(inbox, "late"));
  expect(await reader.has(3)).toEqual(["line 2", "line 3", "line 4"]);
  expect(await sender.stop(), sender.errors).toBe(0);
  await daemon.stop();
  reader.close();
});

it("reports the lines that no receiver took, and skips one that is too long", async () => {
  const fifo = join(folder, "lonely");
  const sender = daemonOf("send", `${fifo}@127.0.0.1:1`);
  await sender.said(/again in/);
  writeFileSync(fifo, text(["a", "b", "c".repeat(100_000)]));
  await sender.said(/a line of more than 65536 bytes was skipped/);
  expect(await sender.stop()).toBe(1);
  expect(sender.errors).toContain(`${fifo}: 2 lines were not sent`);
});

const python = it.skipIf(missing("python3", "--version"));

python("refuses a name that leads out of its folder, and serves the others", async () => {
  const { daemon, port, inbox } = await receiver();
  const program = [
    "import socket, sys",
    `s = socket.create_connection(("127.0.0.1", ${port}))`,
    's.sendall(sys.argv[1].encode() + b"\\nhello\\nagain\\n")',
    's.shutdown(socket.SHUT_WR); print(repr(b"".join(iter(lambda: s.recv(99), b""))))',
  ].join("\n");
  for (const name of ["../escaped", ".hidden", ""]) {
    const told = spawnSync("python3", ["-c", program, name], { encoding: "utf8" });
    expect(told.error).toBeUndefined();
    expect(told.stdout).not.toContain("1\\n");
  }
  expect(existsSync(join(folder, "escaped"))).toBe(false);
  await daemon.said(/"\.hidden" is no name of a FIFO/);
  const socket = new Program("python3", ["-c", program, "ok"]);
  await eventually(
    () => existsSync(join(inbox, "ok")),
    () => "the FIFO of the inbox",
  );
  const reader = new FifoReader(join(inbox, "ok"));
  expect(await reader.has(2)).toEqual(["hello", "again"]);
  await socket.said(/1\\n2\\n/);
  reader.close();
  expect(await daemon.stop()).toBe(0);
});

it.skipIf(missing("nc", "-h"))("takes lines from nc", async () => {
  const { daemon, port, inbox } = await receiver();
  const nc = new Program("nc", ["127.0.0.1", String(port)]);
  nc.child.stdin?.write("from-nc\nhello\n");
  await nc.said(/^1\n$/);
  const reader = new FifoReader(join(inbox, "from-nc"));
  expect(await reader.has(1)).toEqual(["hello"]);
  reader.close();
  expect(await daemon.stop()).toBe(0);
  nc.child.stdin?.end();
  await nc.ended();
});
