// Whether this machine has IPv6: tests that need it are skipped by name elsewhere.

import { networkInterfaces } from "node:os";

export const hasIpv6Loopback = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

/** For the name of a test that leaves it out. */
export const withoutIpv6 = hasIpv6Loopback ? "" : " (this machine has no ::1)";
