// Netlink: the kernel's announcements of links, addresses, routes and devices. On Linux only;
// elsewhere openNetlink throws ENOSYS. netlink(7), rtnetlink(7)

import { assertOneOf } from "./arguments.ts";
import { invalidType, invalidValue } from "./errors.ts";
import { native } from "./native.ts";
import { assertOptions, explained } from "./opening.ts";

/** Groups of NETLINK_ROUTE; a number stands for a group without a name here. */
export type RouteGroup =
  | ("link" | "neigh" | "tc" | "nexthop")
  | ("ipv4-ifaddr" | "ipv4-mroute" | "ipv4-route" | "ipv4-rule" | "ipv4-netconf")
  | ("ipv6-ifaddr" | "ipv6-mroute" | "ipv6-route" | "ipv6-rule" | "ipv6-netconf")
  | ("ipv6-ifinfo" | "ipv6-prefix")
  | number;
/** Groups of NETLINK_KOBJECT_UEVENT: devices as the kernel, or as udev, announces them. */
export type UeventGroup = "kernel" | "udev" | number;

type NumberOf<Group> = Readonly<Record<Extract<Group, string>, number>>;

/** Groups of each family by name: RTNLGRP_… of linux/rtnetlink.h; the sender of a uevent. */
const GROUPS: {
  readonly route: NumberOf<RouteGroup>;
  readonly uevent: NumberOf<UeventGroup>;
} = {
  route: {
    link: 1,
    neigh: 3,
    tc: 4,
    "ipv4-ifaddr": 5,
    "ipv4-mroute": 6,
    "ipv4-route": 7,
    "ipv4-rule": 8,
    "ipv6-ifaddr": 9,
    "ipv6-mroute": 10,
    "ipv6-route": 11,
    "ipv6-ifinfo": 12,
    "ipv6-prefix": 18,
    "ipv6-rule": 19,
    "ipv4-netconf": 24,
    "ipv6-netconf": 25,
    nexthop: 32,
  },
  uevent: { kernel: 1, udev: 2 },
};

const DEFAULT_GROUPS = {
  route: ["link", "ipv4-ifaddr", "ipv6-ifaddr", "ipv4-route", "ipv6-route"],
  uevent: ["kernel"],
} as const;

/** The family of a netlink socket, and the groups whose announcements it receives. */
export type NetlinkOptions =
  | {
      /** rtnetlink(7): network links, addresses, routes, neighbours. */
      readonly family: "route";
      /** Links, addresses and routes of IPv4 and IPv6 unless given; none if empty. */
      readonly groups?: readonly RouteGroup[];
    }
  | {
      /** Devices that come, go and change: `action@path`, then `KEY=value`, with NULs between. */
      readonly family: "uevent";
      /** The kernel's unless given. */
      readonly groups?: readonly UeventGroup[];
    };

const LARGEST_GROUP = 0x7fffffff;

/**
 * Opens a non-blocking netlink socket. recv() takes one datagram of whole messages (32 KiB of room
 * hold any) and returns -ENOBUFS after announcements were lost because the queue was full: request
 * the whole state again. With family `route`, send() requests it (RTM_GETLINK, RTM_GETROUTE …).
 * @returns the descriptor, which the caller closes.
 * @throws {Error} in Node's form: `EINVAL` for a group that the kernel does not know, `EPERM`,
 *   `EAFNOSUPPORT` or `EPROTONOSUPPORT` if a sandbox refuses netlink.
 * @see netlink(7), rtnetlink(7)
 */
export function openNetlink(options: NetlinkOptions): number {
  assertOptions(options);
  const { family, groups } = options;
  assertOneOf(family, Object.keys(GROUPS), "family");
  const wanted: readonly (string | number)[] =
    groups === undefined ? DEFAULT_GROUPS[family] : groups;
  if (!Array.isArray(wanted)) {
    throw invalidType(`groups is ${typeof groups}: pass an array of group names or numbers`);
  }
  const numbers = Int32Array.from(wanted, (group) => numberOf(family, group));
  const answer = native.openNetlink(family === "uevent", numbers);
  const what = `cannot open a netlink socket for ${family}, groups ${wanted.join(", ") || "none"}`;
  return explained(answer, what, {
    ENOSYS: "only Linux has netlink",
    EINVAL: "this kernel lacks one of the groups: leave it out",
  });
}

function numberOf(family: keyof typeof GROUPS, group: string | number): number {
  const known: Readonly<Record<string, number>> = GROUPS[family];
  if (typeof group !== "number" && typeof group !== "string") {
    throw invalidType(`a group must be a number or a name; got ${typeof group}`);
  }
  if (typeof group === "number") {
    if (Number.isInteger(group) && group > 0 && group <= LARGEST_GROUP) return group;
  } else if (Object.hasOwn(known, group)) {
    return known[group] ?? 0;
  }
  const names = Object.keys(known).join(", ");
  throw invalidValue(`${group} is not a group of ${family}: use a number, or one of ${names}`);
}
