// Multicast and broadcast, IPv4 on the loopback interface, and both families in a network namespace
// that has routes for them.

import { execFileSync, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  bindUdp,
  EVENT_READ,
  getBroadcast,
  getMulticastLoop,
  getMulticastTtl,
  joinMulticast,
  leaveMulticast,
  localPort,
  type MulticastMembership,
  pipe,
  recv,
  SocketAddress,
  sendTo,
  setBroadcast,
  setMulticastInterface,
  setMulticastLoop,
  setMulticastTtl,
  socketPair,
} from "../src/index.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";
import { hasIpv6Loopback, withoutIpv6 } from "./ipv6.ts";

const { EACCES, EAGAIN, EBADF, EINVAL, EOPNOTSUPP, ENOTSOCK } = constants.errno;
const linux = process.platform === "linux";
const loopback = linux ? "lo" : "lo0";
const library = new URL("../dist/src/index.js", import.meta.url).href;
const GROUP = "239.255.77.77";
const room = new Uint8Array(64);
const bytes = (text: string) => new TextEncoder().encode(text);

let fds: Descriptors;
let sender: number;
beforeEach(() => {
  fds = new Descriptors();
  sender = fds.keep(bindUdp());
  setMulticastInterface(sender, loopback);
});
afterEach(() => fds.closeAll());

/** A receiver; its port is that of `beside`. */
function receiver(beside?: number): number {
  const port = beside === undefined ? 0 : localPort(beside);
  return fds.keep(bindUdp({ host: "0.0.0.0", port, reuseAddress: true }));
}

function say(text: string, to: number, group = GROUP): void {
  expect(sendTo(sender, bytes(text), SocketAddress.inet(group, localPort(to)))).toBe(text.length);
}

function hear(fd: number): string {
  waitFor(fd, EVENT_READ);
  const n = recv(fd, room);
  return new TextDecoder().decode(room.subarray(0, n));
}

const failing = (code: string) => expect.objectContaining({ code, errno: expect.any(Number) });

describe("multicast", () => {
  it("reaches each member, from joining until leaving", () => {
    const one = receiver();
    const two = receiver(one);
    const stranger = receiver();
    for (const fd of [one, two]) joinMulticast(fd, { group: GROUP, interface: loopback });
    say("both", one);
    for (const fd of [one, two]) expect(hear(fd)).toBe("both");
    leaveMulticast(two, { group: GROUP, interface: loopback });
    const elsewhere = "239.255.77.78";
    joinMulticast(two, { group: elsewhere, interface: loopback });
    say("the other", one, elsewhere);
    expect(hear(two)).toBe("the other");
    expect(recv(stranger, room)).toBe(-EAGAIN);
  });

  it(`takes an interface by name, index and address${withoutIpv6}`, () => {
    const fd = receiver();
    for (const name of [loopback, 1, "127.0.0.1", ...(hasIpv6Loopback ? ["::1"] : [])]) {
      joinMulticast(fd, { group: GROUP, interface: name });
      setMulticastInterface(sender, name);
      say("here", fd);
      expect(hear(fd)).toBe("here");
      leaveMulticast(fd, { group: GROUP, interface: 1 });
    }
    setMulticastInterface(sender, null);
  });

  it("takes only the sources that were joined", () => {
    const fd = receiver();
    const here = { group: "232.1.1.1", interface: loopback } as const;
    joinMulticast(fd, { ...here, source: "127.0.0.9" });
    say("from another", fd, here.group);
    joinMulticast(fd, { ...here, source: "127.0.0.1" });
    say("from this one", fd, here.group);
    expect(hear(fd)).toBe("from this one");
    leaveMulticast(fd, { ...here, source: "127.0.0.1" });
    say("too late", fd, here.group);
    joinMulticast(fd, { ...here, source: "127.0.0.1" });
    say("again", fd, here.group);
    expect(hear(fd)).toBe("again");
    expect(() => joinMulticast(fd, here)).toThrow(failing("EADDRINUSE")); // of some sources
  });

  it("says whether it comes back to this machine", () => {
    const fd = receiver();
    joinMulticast(fd, { group: GROUP, interface: loopback });
    expect(getMulticastLoop(sender)).toBe(1);
    expect(setMulticastLoop(sender, false)).toBe(0);
    expect(getMulticastLoop(sender)).toBe(0);
    expect(setMulticastLoop(sender)).toBe(0);
    expect(getMulticastLoop(sender)).toBe(1);
    say("with it", fd);
    expect(hear(fd)).toBe("with it");
  });

  it(`counts routers from 0 to 255${withoutIpv6}`, () => {
    const sockets = [sender];
    if (hasIpv6Loopback) sockets.push(fds.keep(bindUdp({ host: "::1" })));
    for (const fd of sockets) {
      expect(getMulticastTtl(fd)).toBe(1);
      for (const hops of [0, 1, 32, 255]) {
        expect(setMulticastTtl(fd, hops)).toBe(0);
        expect(getMulticastTtl(fd)).toBe(hops);
      }
      for (const hops of [-1, 256, 2 ** 31, 1.5, Number.NaN, "1", null]) {
        expect(setMulticastTtl(fd, hops as number)).toBe(-EINVAL);
      }
      expect(getMulticastTtl(fd)).toBe(255);
    }
  });

  it("says what refused, and what to do", () => {
    const fd = receiver();
    const join = (membership: object) => () => joinMulticast(fd, membership as MulticastMembership);
    joinMulticast(fd, { group: GROUP, interface: loopback });
    expect(join({ group: GROUP, interface: loopback })).toThrow(failing("EADDRINUSE"));
    expect(join({ group: GROUP, interface: loopback })).toThrow(/a member of it already/);
    expect(join({ group: "127.0.0.1", interface: loopback })).toThrow(/224\.0\.0\.0\/4 or ff00::/);
    expect(join({ group: "ff02::1" })).toThrow(/socket, group and source need the same family/);
    expect(join({ group: GROUP, source: "::1" })).toThrow(failing("EAFNOSUPPORT"));
    expect(join({ group: "all" })).toThrow(failing("EINVAL"));
    expect(join({ group: GROUP, interface: "no0" })).toThrow(
      /name an interface, such as lo or eth0/,
    );
    expect(join({ group: GROUP, interface: "192.0.2.77" })).toThrow(failing("ENODEV"));
    expect(join({ group: GROUP, interface: 123_456 })).toThrow(failing("ENODEV"));
    for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 31, ""]) {
      expect(join({ group: GROUP, interface: wrong })).toThrow(RangeError);
    }
    for (const wrong of [null, {}]) {
      expect(join({ group: GROUP, interface: wrong })).toThrow(TypeError);
    }
    expect(join({ group: 1 })).toThrow(TypeError);
    expect(join({})).toThrow(TypeError);
    expect(() => leaveMulticast(fd, { group: "239.1.1.1", interface: loopback })).toThrow(
      failing("EADDRNOTAVAIL"),
    );
    expect(() => setMulticastInterface(sender, "no0")).toThrow(failing("ENODEV"));
    expect(() => setMulticastInterface(987_654, 1)).toThrow(failing("EBADF"));
  });

  it("is not for other descriptors", () => {
    const [reader, unix] = [pipe(), socketPair()].map((pair) => {
      for (const end of pair) fds.keep(end);
      return pair[0];
    });
    for (const [fd = -1, answer] of [
      [reader, -ENOTSOCK],
      [unix, -EOPNOTSUPP],
      [987_654, -EBADF],
      [Number.NaN, -EINVAL],
    ] as const) {
      expect(setMulticastTtl(fd, 1)).toBe(answer);
      expect(getMulticastTtl(fd)).toBe(answer);
      expect(setMulticastLoop(fd)).toBe(answer);
      expect(getMulticastLoop(fd)).toBe(answer);
    }
  });
});

describe("broadcast", () => {
  it("needs setBroadcast, and reaches each receiver of the port", () => {
    const one = receiver();
    const two = receiver(one);
    const everyone = SocketAddress.inet("127.255.255.255", localPort(one));
    expect(getBroadcast(sender)).toBe(0);
    expect(sendTo(sender, bytes("x"), everyone)).toBe(-EACCES);
    expect(setBroadcast(sender)).toBe(0);
    expect(getBroadcast(sender)).toBe(1);
    expect(sendTo(sender, bytes("to all"), everyone)).toBe(6);
    for (const fd of [one, two]) expect(hear(fd)).toBe("to all");
    expect(setBroadcast(sender, false)).toBe(0);
    expect(sendTo(sender, bytes("x"), everyone)).toBe(-EACCES);
    expect(setBroadcast(987_654)).toBe(-EBADF);
    expect(getBroadcast(Number.NaN)).toBe(-EINVAL);
  });
});

/** A namespace with one network, which is led nowhere: Linux delivers no IPv6 multicast on lo. */
const commands = [
  "ip link add v0 type veth peer name v1",
  "ip link set v0 up",
  "ip link set v1 up",
  "ip address add 10.77.0.1/24 dev v0",
  "ip route add 224.0.0.0/4 dev v0",
  "ip -6 address add fd77::1/64 dev v0 nodad",
].join(" && ");
const isolated = linux && spawnSync("unshare", ["--net", "sh", "-c", commands]).status === 0;

describe.skipIf(!isolated)("multicast in a namespace of its own", () => {
  it.each([
    ["IPv4", "0.0.0.0", "239.1.2.3", "10.77.0.1"],
    ["IPv6", "::", "ff15::1:2:3", "fd77::1"],
  ])("reaches members over %s by the kernel's routes, and by source", (_name, any, group, host) => {
    const program = `
      const io = await import("${library}");
      const [any, group, host] = ${JSON.stringify([any, group, host])};
      const sender = io.bindUdp({ host });
      const room = new Uint8Array(64);
      const hear = (fd) => {
        const selector = new io.PollSelector();
        selector.register(fd, io.EVENT_READ);
        if (selector.poll(5000) === 0) return "nothing";
        return new TextDecoder().decode(room.subarray(0, io.recv(fd, room)));
      };
      const heard = [];
      for (const source of [undefined, host]) {
        const fd = io.bindUdp({ host: any, reuseAddress: true });
        const membership = source === undefined ? { group } : { group, source };
        io.joinMulticast(fd, membership);
        const to = io.SocketAddress.inet(group, io.localPort(fd));
        io.sendTo(sender, Buffer.from("hello"), to);
        heard.push(hear(fd));
        io.leaveMulticast(fd, membership);
        io.sendTo(sender, Buffer.from("gone"), to);
        heard.push(io.recv(fd, room) === -io.EAGAIN ? "left" : "still there");
        io.joinMulticast(fd, membership);
        io.setMulticastLoop(sender, false);
        io.sendTo(sender, Buffer.from("without the loop"), to);
        io.setMulticastLoop(sender);
        io.sendTo(sender, Buffer.from("with it"), to);
        heard.push(hear(fd));
        io.close(fd);
      }
      console.log(heard.join());`;
    const shell = `${commands} && exec "$0" --input-type=module --eval "$1"`;
    const args = ["--net", "sh", "-c", shell, process.execPath, program];
    const heard = execFileSync("unshare", args, { encoding: "utf8", timeout: 20_000 });
    expect(heard.trim()).toBe("hello,left,with it,hello,left,with it");
  });
});
