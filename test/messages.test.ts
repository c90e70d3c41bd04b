// Errors that say what failed, why, and what to do; and errors that callers make of -errno.

import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import {
  availableBackends,
  bindUdp,
  connectTcp,
  ECONNREFUSED,
  EpollSelector,
  EVENT_READ,
  errnoError,
  listenTcp,
  SocketAddress,
  socketError,
} from "../src/index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const library = pathToFileURL("dist/src/index.js").href;
const linux = process.platform === "linux";

/** Runs a module that sees the library as `io`. */
function runModule(code: string, nodeOptions: readonly string[] = [], shell = "exec"): string {
  const source = `const io = await import(${JSON.stringify(library)}); ${code}`;
  const node = [process.execPath, ...nodeOptions, "--input-type=module", "-e", source];
  const command = node.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const { stdout, stderr } = spawnSync("sh", ["-c", `${shell} ${command}`], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return stdout + stderr;
}

describe("a host that is a name", () => {
  const expected = (message: string) =>
    expect.objectContaining({ message, code: "EINVAL", syscall: "inet_pton" });

  it("is refused with what to do", () => {
    expect(() => listenTcp({ host: "localhost", port: 7000 })).toThrow(
      expected("cannot listen on localhost:7000: host must be a numeric address (try 127.0.0.1)"),
    );
    const resolve = "host must be a numeric address (resolve a name with dns.lookup first)";
    expect(() => connectTcp({ host: "example.com", port: 80 })).toThrow(
      expected(`cannot connect to example.com:80: ${resolve}`),
    );
    expect(() => bindUdp({ host: "example.com" })).toThrow(
      expected(`cannot bind example.com:0: ${resolve}`),
    );
    expect(() => SocketAddress.inet("example.com", 1)).toThrow(
      expected(`cannot address example.com:1: ${resolve}`),
    );
  });
});

describe.runIf(linux)("epoll", () => {
  it("says what to do with a regular file", () => {
    using selector = new EpollSelector();
    const fd = openSync(fileURLToPath(import.meta.url), "r");
    expect(() => selector.register(fd, EVENT_READ)).toThrow(
      expect.objectContaining({
        code: "EPERM",
        message: expect.stringMatching(
          /^cannot register fd \d+: epoll_ctl EPERM \(epoll does not watch regular files/,
        ),
      }),
    );
    closeSync(fd);
  });
});

describe.runIf(linux)("with more than 1,024 descriptors open", () => {
  const open = `import fs from "node:fs"; for (let i = 0; i < 1100; i++) fs.openSync("/dev/null");`;

  it("select says what to do, and a larger fdSetSize does it", () => {
    const output = runModule(
      `${open}
      try { new io.SelectSelector(); } catch (error) { console.log(error.code, error.message); }
      console.log(io.availableBackends().find(({ name }) => name === "select").reason);
      new io.SelectSelector({ fdSetSize: 4096 }).close();
      console.log("made");`,
      [],
      "ulimit -n 4096; exec",
    );
    const [thrown, reason, made] = output.split("\n");
    const advice = /larger \{ fdSetSize \} \(Linux\), or use poll or epoll/;
    expect(thrown).toMatch(/^EINVAL cannot make a select selector: register EINVAL/);
    expect(thrown).toMatch(advice);
    expect(reason).toMatch(advice);
    expect(made).toBe("made");
  });
});

describe("where Node refuses native addons", () => {
  const allowsAddons = process.allowedNodeEnvironmentFlags.has("--allow-addons");
  const permission = process.allowedNodeEnvironmentFlags.has("--permission")
    ? "--permission"
    : "--experimental-permission";

  it("loading says so: --no-addons", () => {
    const output = runModule("", ["--no-addons"]);
    expect(output).toMatch(/because of --no-addons; start it without that option/);
    expect(output).not.toMatch(/npm run build/);
  });

  it.runIf(allowsAddons)("loading says so: --permission without --allow-addons", () => {
    const output = runModule("", [permission, "--allow-fs-read=*"]);
    expect(output).toMatch(/no native addon under --permission; start it with --allow-addons/);
    expect(output).not.toMatch(/npm run build/);
    const allowed = [permission, "--allow-fs-read=*", "--allow-addons"];
    expect(runModule("io.pipe(); console.log('works');", allowed)).toMatch(/works/);
    const noFile = runModule("console.log('works');", [
      permission,
      `--allow-fs-read=${root}*`,
      "--allow-addons",
    ]);
    expect(noFile).toMatch(/works|may not read \S+ under --permission; start it with --allow-fs-r/);
  });
});

describe("errnoError", () => {
  it("makes Node's form of what an I/O call returned", () => {
    const error = errnoError(-ECONNREFUSED, "connect", "127.0.0.1:80");
    expect(error).toMatchObject({
      message: "connect ECONNREFUSED 127.0.0.1:80",
      code: "ECONNREFUSED",
      errno: -ECONNREFUSED,
      syscall: "connect",
    });
    expect(error).toBeInstanceOf(Error);
    expect(errnoError(ECONNREFUSED, "connect").message).toBe("connect ECONNREFUSED");
  });

  it("takes what socketError returns, and refuses 0", () => {
    expect(errnoError(-socketError(-1), "getsockopt").code).toBe("EBADF");
    for (const errno of [0, 1.5, Number.NaN, 2 ** 32 + 1]) {
      expect(() => errnoError(errno, "read")).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }),
      );
    }
  });
});

describe("availableBackends", () => {
  it("gives no empty reason", () => {
    for (const { available, reason } of availableBackends()) {
      if (!available) expect(reason).toMatch(/[a-z]/);
    }
  });
});
