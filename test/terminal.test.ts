// Raw mode and serial lines on pseudo-terminals, checked by stty if there is one.

import { spawnSync } from "node:child_process";
import { closeSync, constants as fileConstants, openSync } from "node:fs";
import { constants } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  EVENT_READ,
  enterRawMode,
  openPty,
  type Pty,
  pipe,
  read,
  type SerialOptions,
  terminalSettings,
  write,
} from "../src/index.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";

const { EAGAIN } = constants.errno;
const room = new Uint8Array(256);
const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (n: number) => new TextDecoder().decode(room.subarray(0, n));

const hasStty = spawnSync("stty", ["--version"]).status === 0;
const checked = hasStty ? "" : " (unchecked: there is no GNU stty)";

let fds: Descriptors;
let pty: Pty;
beforeEach(() => {
  fds = new Descriptors();
  pty = openPty();
  for (const fd of [pty.controller, pty.terminal]) fds.keep(fd);
});
afterEach(() => fds.closeAll());

/** Types at the controller. @returns what the terminal reads. */
function type(text: string): string {
  expect(write(pty.controller, bytes(text))).toBe(text.length);
  waitFor(pty.terminal, EVENT_READ);
  return textOf(read(pty.terminal, room));
}

describe("raw mode", () => {
  it("passes bytes at once and as they are, both ways, until it is restored", () => {
    const before = terminalSettings(pty.terminal);
    expect(before).toMatchObject({ canonical: true, echo: true });
    const raw = enterRawMode(pty.terminal);
    expect(read(pty.terminal, room)).toBe(-EAGAIN); // 0 would be the end of the file
    expect(type("a\r\u0003\u0004\u0011\u0013\u007f")).toBe("a\r\u0003\u0004\u0011\u0013\u007f");
    expect(read(pty.controller, room)).toBe(-EAGAIN); // no echo
    expect(write(pty.terminal, bytes("b\n"))).toBe(2);
    waitFor(pty.controller, EVENT_READ);
    expect(textOf(read(pty.controller, room))).toBe("b\n");

    raw.restore();
    raw.restore();
    expect(terminalSettings(pty.terminal)).toEqual(before);
    expect(type("line\n")).toBe("line\n");
    waitFor(pty.controller, EVENT_READ);
    expect(textOf(read(pty.controller, room))).toBe("line\r\n");
  });

  it("is restored at the end of a block, in the reverse order", () => {
    const before = terminalSettings(pty.terminal);
    {
      using _slow = enterRawMode(pty.terminal, { baudRate: 9600 });
      using _fast = enterRawMode(pty.terminal, { baudRate: 115_200, stopBits: 2 });
      expect(terminalSettings(pty.terminal)).toMatchObject({ baudRate: 115_200, stopBits: 2 });
    }
    expect(terminalSettings(pty.terminal)).toEqual(before);
  });

  it("leaves the descriptor non-blocking, and its duplicates in other programs alone", () => {
    const path = fds.keep(
      openSync(pty.path, fileConstants.O_RDWR | fileConstants.O_NOCTTY | fileConstants.O_NONBLOCK),
    );
    enterRawMode(path);
    expect(read(path, room)).toBe(-EAGAIN);
    expect(terminalSettings(pty.terminal)).toMatchObject({ canonical: false, echo: false });
  });

  it("never restores another file that has its number by now", () => {
    const raw = enterRawMode(pty.terminal);
    const other = openPty();
    fds.keep(other.controller);
    fds.close(pty.terminal);
    const again = openSync(other.path, fileConstants.O_RDWR | fileConstants.O_NOCTTY);
    expect(again).toBe(pty.terminal);
    fds.keep(other.terminal);
    enterRawMode(again, { baudRate: 300 });
    expect(() => raw.restore()).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect(terminalSettings(again)).toMatchObject({ baudRate: 300, canonical: false });
    closeSync(again);
  });

  it("is restored by the end of the program", () => {
    const before = terminalSettings(pty.terminal);
    const library = new URL("../dist/src/index.js", import.meta.url).href;
    const program = (end: string) =>
      `const io = await import("${library}"); io.enterRawMode(0, { baudRate: 1200 });
       console.log(JSON.stringify(io.terminalSettings(0))); ${end}`;
    for (const [end, code] of [
      ["", 0],
      ["process.exit(3)", 3],
      ['throw new Error("on purpose")', 1],
    ] as const) {
      const args = ["--input-type=module", "--eval", program(end)];
      const stdio = [pty.terminal, "pipe", "pipe"] as const;
      const { status, stdout } = spawnSync(process.execPath, args, { stdio: [...stdio] });
      expect(JSON.parse(String(stdout))).toMatchObject({ baudRate: 1200, canonical: false });
      expect(status).toBe(code);
      expect(terminalSettings(pty.terminal)).toEqual(before);
    }
  });
});

describe("a serial line", () => {
  const eightBits = { dataBits: 8, parity: "none", stopBits: 1, flowControl: "none" } as const;

  it.each([50, 9600, 115_200, 230_400, 4_000_000])(`takes the speed %i${checked}`, (baudRate) => {
    enterRawMode(pty.terminal, { baudRate });
    expect(terminalSettings(pty.terminal)).toEqual({
      ...eightBits,
      baudRate,
      canonical: false,
      echo: false,
    });
    if (!hasStty) return;
    const { stdout } = spawnSync("stty", ["--file", pty.path, "speed"]);
    expect(String(stdout).trim()).toBe(String(baudRate));
  });

  const odd = process.platform === "darwin" ? [] : [74_880, 250_000, 1_234_567];
  it.each(odd)("takes the speed %i, which has no name", (baudRate) => {
    enterRawMode(pty.terminal, { baudRate });
    expect(terminalSettings(pty.terminal).baudRate).toBe(baudRate);
  });

  it("keeps its speed unless one is given", () => {
    const { baudRate } = terminalSettings(pty.terminal);
    enterRawMode(pty.terminal);
    expect(terminalSettings(pty.terminal)).toMatchObject({ ...eightBits, baudRate });
  });

  it.each([
    [{ stopBits: 2 }, "cstopb"],
    [{ flowControl: "hardware" }, "crtscts"],
    [{ flowControl: "software" }, "ixon ixoff"],
  ] as const)(`takes %o${checked}`, (options, words) => {
    enterRawMode(pty.terminal, options);
    expect(terminalSettings(pty.terminal)).toMatchObject({ ...eightBits, ...options });
    if (!hasStty) return;
    const { stdout } = spawnSync("stty", ["--file", pty.path, "--all"]);
    const set = String(stdout).split(/[\s;]+/);
    for (const word of words.split(" ")) expect(set).toContain(word);
  });

  it.skipIf(process.platform !== "linux")("says what the device does not take", () => {
    const before = terminalSettings(pty.terminal);
    // Linux's pseudo-terminals have 8 bits and no parity, and say nothing when asked for others.
    for (const options of [{ parity: "even" }, { dataBits: 7 }] as const) {
      expect(() => enterRawMode(pty.terminal, { baudRate: 9600, ...options })).toThrow(
        expect.objectContaining({ code: "EINVAL", syscall: "tcsetattr" }),
      );
      expect(terminalSettings(pty.terminal)).toEqual(before);
    }
    expect(() => enterRawMode(pty.terminal, { parity: "odd" })).toThrow(
      /does not take .*parity odd/,
    );
  });

  it("refuses wrong arguments, and what is not a terminal", () => {
    const wrong: readonly object[] = [
      { baudRate: 0 },
      { baudRate: -9600 },
      { baudRate: 9600.5 },
      { baudRate: Number.NaN },
      { dataBits: 9 },
      { parity: "mark" },
      { stopBits: 1.5 },
    ];
    for (const options of wrong) {
      expect(() => enterRawMode(pty.terminal, options as SerialOptions)).toThrow(RangeError);
    }
    for (const options of [{ baudRate: "9600" }, { flowControl: true }] as readonly object[]) {
      expect(() => enterRawMode(pty.terminal, options as SerialOptions)).toThrow(TypeError);
    }
    expect(terminalSettings(pty.terminal).canonical).toBe(true);
    const [reader] = pipe().map((end) => fds.keep(end));
    expect(() => enterRawMode(reader ?? -1)).toThrow(
      expect.objectContaining({ code: "ENOTTY", syscall: "tcgetattr" }),
    );
    expect(() => terminalSettings(987_654)).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect(() => enterRawMode("0" as unknown as number)).toThrow(TypeError);
  });
});
