// inotify on real files: many paths on one descriptor, and the decoding of its events.

import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  addInotifyWatch,
  decodeInotify,
  IN,
  type InotifyEvent,
  openInotify,
  pipe,
  read,
  removeInotifyWatch,
} from "../src/index.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";

const { EAGAIN, EINVAL } = constants.errno;
const linux = process.platform === "linux";
const CHANGES = IN.CREATE | IN.DELETE | IN.MOVE | IN.CLOSE_WRITE;

let fds: Descriptors;
let folder: string;
beforeEach(() => {
  fds = new Descriptors();
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterEach(() => {
  fds.closeAll();
  rmSync(folder, { recursive: true });
});

const path = (...names: string[]) => join(folder, ...names);

/** All events that are queued. */
function take(fd: number): InotifyEvent[] {
  const room = new Uint8Array(4096);
  const events: InotifyEvent[] = [];
  for (let n = read(fd, room); n !== -EAGAIN; n = read(fd, room)) {
    expect(n).toBeGreaterThan(0);
    events.push(...decodeInotify(room.slice(), n));
  }
  return events;
}

const named = ({ watch, mask, name }: InotifyEvent) => ({ watch, mask, name });

describe.skipIf(!linux)("inotify", () => {
  it("watches 300 directories on one descriptor, and distinguishes them", () => {
    const fd = fds.keep(openInotify());
    const directories = Array.from({ length: 300 }, (_, i) => path(`directory ${i}`));
    for (const directory of directories) mkdirSync(directory);
    const watches = directories.map((directory) => addInotifyWatch(fd, directory, IN.CREATE));
    expect(new Set(watches).size).toBe(300);
    expect(read(fd, new Uint8Array(4096))).toBe(-EAGAIN);
    for (const [i, directory] of directories.entries()) writeFileSync(join(directory, `${i}`), "");
    waitFor(fd, 1);
    expect(take(fd).map(named)).toEqual(
      watches.map((watch, i) => ({ watch, mask: IN.CREATE, name: `${i}` })),
    );
  });

  it("links both halves of a rename, and marks directories", () => {
    const fd = fds.keep(openInotify());
    const watch = addInotifyWatch(fd, folder, CHANGES);
    mkdirSync(path("a"));
    renameSync(path("a"), path("b"));
    const [made, from, to] = take(fd);
    expect(made).toMatchObject({ watch, mask: IN.CREATE | IN.ISDIR, cookie: 0, name: "a" });
    expect(from).toMatchObject({ mask: IN.MOVED_FROM | IN.ISDIR, name: "a" });
    expect(to).toMatchObject({ mask: IN.MOVED_TO | IN.ISDIR, name: "b", cookie: from?.cookie });
    expect(from?.cookie).not.toBe(0);
  });

  it("gives names in any encoding", () => {
    const fd = fds.keep(openInotify());
    addInotifyWatch(fd, folder, IN.CREATE);
    const latin1 = Buffer.from([0x66, 0xfc, 0x72]); // "für", which is not UTF-8
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), latin1]), "");
    writeFileSync(path("für"), "");
    writeFileSync(path("\uFEFFmark"), "");
    const [first, second, third] = take(fd);
    expect(Buffer.from(first?.nameBytes ?? [])).toEqual(latin1);
    expect(second?.name).toBe("für");
    expect(third?.name).toBe("\uFEFFmark");
    rmSync(Buffer.concat([Buffer.from(`${folder}/`), latin1]));
  });

  it("replaces a mask, or adds to it, under the same number", () => {
    const fd = fds.keep(openInotify());
    const watch = addInotifyWatch(fd, folder, IN.CREATE);
    expect(addInotifyWatch(fd, folder, IN.DELETE)).toBe(watch);
    writeFileSync(path("file"), "");
    expect(take(fd)).toEqual([]);
    expect(addInotifyWatch(fd, folder, IN.CLOSE_WRITE | IN.MASK_ADD)).toBe(watch);
    writeFileSync(path("file"), "");
    rmSync(path("file"));
    expect(take(fd).map(({ mask }) => mask)).toEqual([IN.CLOSE_WRITE, IN.DELETE]);
    expect(() => addInotifyWatch(fd, folder, IN.CREATE | IN.MASK_CREATE)).toThrow(
      expect.objectContaining({ code: "EEXIST", syscall: "inotify_add_watch" }),
    );
  });

  it("ends a watch with IGNORED: removed, deleted, once only", () => {
    const fd = fds.keep(openInotify());
    const removed = addInotifyWatch(fd, folder, IN.CREATE);
    expect(removeInotifyWatch(fd, removed)).toBe(0);
    expect(take(fd).map(named)).toEqual([{ watch: removed, mask: IN.IGNORED, name: "" }]);
    expect(removeInotifyWatch(fd, removed)).toBe(-EINVAL);

    mkdirSync(path("gone"));
    const gone = addInotifyWatch(fd, path("gone"), IN.DELETE_SELF);
    rmSync(path("gone"), { recursive: true });
    expect(take(fd).map(({ watch, mask }) => [watch, mask & ~IN.ISDIR])).toEqual([
      [gone, IN.DELETE_SELF],
      [gone, IN.IGNORED],
    ]);

    const once = addInotifyWatch(fd, folder, IN.CREATE | IN.ONESHOT);
    for (const name of ["first", "second"]) writeFileSync(path(name), "");
    expect(take(fd).map(named)).toEqual([
      { watch: once, mask: IN.CREATE, name: "first" },
      { watch: once, mask: IN.IGNORED, name: "" },
    ]);
  });

  it("says that its queue overflowed", ({ skip }) => {
    const fd = fds.keep(openInotify());
    writeFileSync(path("to"), "");
    addInotifyWatch(fd, folder, IN.MOVED_FROM | IN.MOVED_TO);
    const queued = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
    skip(queued > 200_000, `the queue takes ${queued} events`);
    // Two events each, none of which is like the last.
    for (let i = 0; 4 * i <= queued; i++) {
      renameSync(path("to"), path("fro"));
      renameSync(path("fro"), path("to"));
    }
    const events = take(fd);
    expect(events.at(-1)).toMatchObject({ watch: -1, mask: IN.Q_OVERFLOW, name: "" });
    expect(events.length).toBe(queued + 1);
  }, 30_000);

  it("refuses what it cannot watch, and says why", () => {
    const fd = fds.keep(openInotify());
    writeFileSync(path("file"), "");
    const refused = (code: string) =>
      expect.objectContaining({ code, syscall: "inotify_add_watch", errno: expect.any(Number) });
    expect(() => addInotifyWatch(fd, path("none"), IN.CREATE)).toThrow(refused("ENOENT"));
    expect(() => addInotifyWatch(fd, path("file"), IN.CREATE | IN.ONLYDIR)).toThrow(
      refused("ENOTDIR"),
    );
    const [reader, writer] = pipe().map((end) => fds.keep(end));
    expect(() => addInotifyWatch(reader ?? -1, folder, IN.CREATE)).toThrow(refused("EINVAL"));
    expect(removeInotifyWatch(writer ?? -1, 1)).toBe(-EINVAL);
    expect(() => addInotifyWatch(fd, folder, 0)).toThrow(
      /has no event: add one, such as IN.CREATE/,
    );
    expect(() => addInotifyWatch(fd, folder, IN.ONLYDIR)).toThrow(RangeError);
    expect(() => addInotifyWatch(fd, folder, 2 ** 32 + 1)).toThrow(RangeError);
    expect(() => addInotifyWatch(fd, "", IN.CREATE)).toThrow(RangeError);
    for (const watch of [Number.NaN, 2 ** 32, "1", null]) {
      expect(removeInotifyWatch(fd, watch as number)).toBe(-EINVAL);
    }
  });
});

describe("decodeInotify", () => {
  it("takes whole events only", () => {
    expect(decodeInotify(new Uint8Array(0))).toEqual([]);
    expect(decodeInotify(new Uint8Array(64), 0)).toEqual([]);
    expect(decodeInotify(new Uint8Array(32))).toHaveLength(2);
    for (const length of [1, 15, 17, 31]) {
      expect(() => decodeInotify(new Uint8Array(32), length)).toThrow(/end inside an event/);
    }
    const long = new Uint8Array(32).fill(0xff, 12, 16); // a name of 2^32 - 1 bytes
    expect(() => decodeInotify(long)).toThrow(RangeError);
    for (const length of [33, -1, Number.NaN]) {
      expect(() => decodeInotify(new Uint8Array(32), length)).toThrow(RangeError);
    }
    expect(() => decodeInotify([] as unknown as Uint8Array)).toThrow(TypeError);
  });
});
