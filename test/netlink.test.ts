// Netlink in a network namespace of its own: what is announced there, and to which groups. Skipped
// if none can be made.

import { execFileSync, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { close, type NetlinkOptions, openNetlink, recv } from "../src/index.ts";

const { EAGAIN } = constants.errno;
const linux = process.platform === "linux";
const library = new URL("../dist/src/index.js", import.meta.url).href;
const isolated =
  linux &&
  spawnSync("unshare", ["--net", "ip", "link", "set", "lo", "up"]).status === 0 &&
  ["route", "uevent"].every((family) => opens({ family } as NetlinkOptions));

function opens(options: NetlinkOptions): boolean {
  try {
    return close(openNetlink(options)) === 0;
  } catch {
    return false;
  }
}

/** Runs a program in a new namespace. @returns what it prints, as JSON. */
function inNamespace(program: string): unknown {
  const args = ["--net", process.execPath, "--input-type=module", "--eval", program];
  return JSON.parse(execFileSync("unshare", args, { encoding: "utf8", timeout: 20_000 }));
}

const prelude = `
  import { execFileSync } from "node:child_process";
  const io = await import("${library}");
  const ip = (...args) => execFileSync("ip", args);
  const room = new Uint8Array(32768);
  /** All that is queued, as [type, bytes] of each message: struct nlmsghdr begins with both. */
  const types = (fd) => {
    const found = [];
    for (let n = io.recv(fd, room); n > 0; n = io.recv(fd, room)) {
      const view = new DataView(room.buffer);
      for (let at = 0; at < n; at += (view.getUint32(at, true) + 3) & ~3) {
        found.push(view.getUint16(at + 4, true));
      }
    }
    return [...new Set(found)];
  };
  ip("link", "set", "lo", "up");`;

const [RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_DELROUTE] = [16, 20, 24, 25];

describe.skipIf(!isolated)("netlink", () => {
  it("announces links, addresses and routes, each to its group", () => {
    const seen = inNamespace(`${prelude}
      const named = ["link", "ipv4-ifaddr", "ipv4-route", "ipv6-route"].map((name) => [name]);
      const groups = [undefined, ...named, [7], []];
      const fds = groups.map((g) => io.openNetlink({ family: "route", ...(g && { groups: g }) }));
      ip("address", "add", "127.7.7.1/24", "dev", "lo");
      ip("route", "add", "127.7.9.0/24", "dev", "lo");
      ip("route", "delete", "127.7.9.0/24", "dev", "lo");
      ip("link", "set", "lo", "mtu", "1500");
      console.log(JSON.stringify(fds.map(types)));`) as number[][];
    const [all, link, address, route, route6, numbered, none] = seen;
    for (const type of [RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_DELROUTE]) {
      expect(all).toContain(type);
    }
    expect(link).toEqual([RTM_NEWLINK]);
    expect(address).toEqual([RTM_NEWADDR]);
    expect(route).toEqual(expect.arrayContaining([RTM_NEWROUTE, RTM_DELROUTE]));
    expect(route6).toEqual([]);
    expect(numbered).toEqual(route);
    expect(none).toEqual([]);
  });

  it("wakes a selector, and reports that announcements were lost", () => {
    const seen = inNamespace(`${prelude}
      const fd = io.openNetlink({ family: "route", groups: ["link"] });
      const selector = new io.DefaultSelector();
      selector.register(fd, io.EVENT_READ);
      const before = selector.poll(0);
      io.setReceiveBuffer(fd, 1);
      for (let mtu = 1400; mtu < 1440; mtu++) ip("link", "set", "lo", "mtu", String(mtu));
      const after = selector.poll(0); // the announcements are there once the command has ended
      const answers = [];
      for (let n = io.recv(fd, room); n !== -io.EAGAIN; n = io.recv(fd, room)) answers.push(n);
      console.log(JSON.stringify({ before, after, least: Math.min(...answers) }));`);
    expect(seen).toEqual({ before: 0, after: 1, least: -constants.errno.ENOBUFS });
  });

  it("announces devices", () => {
    const text = inNamespace(`${prelude}
      const fd = io.openNetlink({ family: "uevent" });
      ip("link", "add", "v0", "type", "veth", "peer", "name", "v1");
      const selector = new io.DefaultSelector();
      selector.register(fd, io.EVENT_READ);
      selector.poll(5000);
      const n = io.recv(fd, room);
      console.log(JSON.stringify(Buffer.from(room.subarray(0, n)).toString().split("\\0")));`);
    expect(text).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^add@\/devices\/virtual\/net\/v[01]$/),
        "ACTION=add",
        "SUBSYSTEM=net",
      ]),
    );
  });
});

describe.skipIf(!linux)("openNetlink", () => {
  it("refuses families and groups that there are not", () => {
    const open = (options: object) => () => openNetlink(options as NetlinkOptions);
    expect(open({ family: "generic" })).toThrow(
      /family is "generic"; it must be one of: route, uev/,
    );
    expect(open({})).toThrow(TypeError);
    expect(open({ family: "route", groups: ["kernel"] })).toThrow(/kernel is not a group of route/);
    for (const group of [0, -1, 1.5, Number.NaN, 2 ** 31, "toString"]) {
      expect(open({ family: "route", groups: [group] })).toThrow(RangeError);
    }
    for (const group of [null, {}]) {
      expect(open({ family: "route", groups: [group] })).toThrow(TypeError);
    }
    for (const groups of ["link", 1, {}]) {
      expect(open({ family: "route", groups })).toThrow(TypeError);
    }
  });

  it.skipIf(!isolated)("says which group the kernel lacks", () => {
    expect(() => openNetlink({ family: "route", groups: ["link", 30_000] })).toThrow(
      expect.objectContaining({
        code: "EINVAL",
        syscall: "setsockopt",
        message: expect.stringContaining("groups link, 30000"),
      }),
    );
    const fd = openNetlink({ family: "uevent", groups: ["kernel", "udev"] });
    expect(recv(fd, new Uint8Array(8))).toBe(-EAGAIN);
    expect(close(fd)).toBe(0);
  });
});
