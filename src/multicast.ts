// Multicast and broadcast of UDP sockets, IPv4 and IPv6. Functions that take addresses throw; the
// options return 0, their value or -errno, as those of socket-options.ts do. ip(7), ipv6(7),
// RFC 3678

import { assertObject, assertString, descriptorOf, switchOf } from "./arguments.ts";
import { invalidType, invalidValue } from "./errors.ts";
import { MULTICAST_OPTIONS, native, SOCKET_OPTIONS } from "./native.ts";
import { explained } from "./opening.ts";

/** A group, and on which interface and from which sources its datagrams are received. */
export interface MulticastMembership {
  /** A numeric multicast address of the socket's family: 224.0.0.0/4 or ff00::/8. */
  readonly group: string;
  /** The network interface: its name ("lo"), its index, or one of its addresses. Unless given, the
   * one to which the kernel routes the group. */
  readonly interface?: string | number;
  /** Only datagrams from this address (source-specific multicast); any source unless given. */
  readonly source?: string;
}

/**
 * Joins a multicast group: the socket then receives datagrams for its port that are sent to the
 * group. Bind it to the group or to any address ("0.0.0.0", "::"), and with `reuseAddress` if other
 * receivers on this machine use the port. Closing the socket leaves all its groups.
 * @throws {Error} in Node's form: `EADDRINUSE` if it is a member already, `ENODEV` if there is no
 *   such interface or no route to the group, `EINVAL` if the address is not multicast,
 *   `ENOBUFS` at the limit of groups per socket.
 * @see MCAST_JOIN_GROUP and MCAST_JOIN_SOURCE_GROUP in RFC 3678, ip(7)
 */
export function joinMulticast(fd: number, membership: MulticastMembership): void {
  changeMembership(fd, true, membership);
}

/**
 * Leaves a group, or a source of it, that was joined with the same interface and source.
 * @throws {Error} in Node's form: `EADDRNOTAVAIL` if it is not a member.
 */
export function leaveMulticast(fd: number, membership: MulticastMembership): void {
  changeMembership(fd, false, membership);
}

/**
 * Sets the interface through which the socket sends multicast datagrams.
 * @param name its name, index, or one of its addresses; null for the kernel's choice by its routes.
 * @throws {Error} in Node's form: `ENODEV` without such an interface.
 * @see IP_MULTICAST_IF in ip(7), IPV6_MULTICAST_IF in ipv6(7)
 */
export function setMulticastInterface(fd: number, name: string | number | null): void {
  const index = name === null ? 0 : indexOf(name);
  const answer = native.setMulticast(descriptorOf(fd), MULTICAST_OPTIONS.interface, index);
  explained(answer, `cannot set the multicast interface of fd ${fd} to ${String(name)}`, ADVICE);
}

/**
 * Sets how many routers multicast datagrams may pass, 0 … 255; 1, the default, keeps them in the
 * local network, 0 on this machine.
 * @returns 0, or -errno: -EINVAL outside the range, -EOPNOTSUPP if the socket is not IPv4 or IPv6.
 * @see IP_MULTICAST_TTL in ip(7), IPV6_MULTICAST_HOPS in ipv6(7)
 */
export function setMulticastTtl(fd: number, hops: number): number {
  return native.setMulticast(fd, MULTICAST_OPTIONS.hops, hops);
}

/** @returns 0 … 255, or -errno. */
export function getMulticastTtl(fd: number): number {
  return native.getMulticast(fd, MULTICAST_OPTIONS.hops);
}

/**
 * Sets whether members on this machine receive what the socket sends; on by default. Set it on the
 * sending socket.
 * @returns 0, or -errno.
 * @see IP_MULTICAST_LOOP in ip(7), IPV6_MULTICAST_LOOP in ipv6(7)
 */
export function setMulticastLoop(fd: number, on = true): number {
  return native.setMulticast(fd, MULTICAST_OPTIONS.loop, switchOf(on));
}

/** @returns 1 if it is on, 0 if it is off, or -errno. */
export function getMulticastLoop(fd: number): number {
  return native.getMulticast(fd, MULTICAST_OPTIONS.loop);
}

/**
 * SO_BROADCAST: the socket may send to a broadcast address (255.255.255.255, or a network's last);
 * without it sendTo fails with -EACCES. IPv4 only: IPv6 has multicast instead.
 * @returns 0, or -errno.
 * @see socket(7)
 */
export function setBroadcast(fd: number, on = true): number {
  return native.setOption(fd, SOCKET_OPTIONS.broadcast, switchOf(on));
}

/** @returns 1 if it is on, 0 if it is off, or -errno. */
export function getBroadcast(fd: number): number {
  return Math.min(native.getOption(fd, SOCKET_OPTIONS.broadcast), 1);
}

const ADVICE = {
  ENOSYS: "this system lacks RFC 3678; Linux, macOS and FreeBSD have it",
  ENODEV: "no such interface, or no route to the group: name an interface, such as lo or eth0",
  EADDRINUSE: "the socket is a member of it already, of all sources or of some",
  EADDRNOTAVAIL: "the socket is not a member of it by that interface and source",
  EAFNOSUPPORT: "socket, group and source need the same family, IPv4 or IPv6",
  EINVAL: "the group must be in 224.0.0.0/4 or ff00::/8",
  ENOBUFS: "the socket is a member of as many groups as the system allows",
};

function changeMembership(fd: number, join: boolean, membership: MulticastMembership): void {
  assertObject(membership, "membership");
  const { group, interface: name, source = "" } = membership;
  assertString(group, "group");
  assertString(source, "source");
  const index = name === undefined ? 0 : indexOf(name);
  const answer = native.changeMembership(descriptorOf(fd), join, group, index, source);
  const from = source === "" ? "" : ` from ${source}`;
  const by = name === undefined ? "" : ` by ${name}`;
  explained(answer, `cannot ${join ? "join" : "leave"} ${group}${from}${by} on fd ${fd}`, ADVICE);
}

function indexOf(name: string | number): number {
  if (typeof name === "number") {
    if (Number.isInteger(name) && name > 0 && name < 2 ** 31) return name;
    throw invalidValue(`${name} is not the index of an interface: 1 or more`);
  }
  if (typeof name !== "string") {
    throw invalidType(`the interface must be a name, an index or an address; got ${typeof name}`);
  }
  if (name === "") throw invalidValue("the name of the interface is empty");
  return explained(native.interfaceIndex(name), `cannot find the interface ${name}`, ADVICE);
}
