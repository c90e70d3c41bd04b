// Host names to numeric addresses by Node's resolver. dns.lookup in Node's manual, getaddrinfo(3)

import { lookup as lookupByNode } from "node:dns";
import { isIP } from "node:net";
import { assertFunction } from "./arguments.ts";
import { invalidValue } from "./errors.ts";
import { assertHost } from "./opening.ts";

export interface ResolvedAddress {
  /** Numeric. */
  readonly address: string;
  readonly family: 4 | 6;
}

/** Node's own `dns.lookup`, or a function of that form: net.connect's `lookup`. */
export type Lookup = (
  hostname: string,
  options: { readonly all: true; readonly family: 0 | 4 | 6; readonly verbatim: true },
  callback: (
    error: NodeJS.ErrnoException | null,
    addresses: { readonly address: string; readonly family: number }[],
  ) => void,
) => void;

export interface ResolveOptions {
  /** Of the addresses, only those of IPv4 (4) or of IPv6 (6); 0, the default, takes both. */
  readonly family?: 0 | 4 | 6;
  /** Instead of `dns.lookup`. */
  readonly lookup?: Lookup;
}

/**
 * The addresses of a host in the resolver's order; of a numeric address, that address at once.
 * @throws {Error} Node's own: `{ code: "ENOTFOUND", syscall: "getaddrinfo", hostname }`.
 */
export async function resolveHost(
  host: string,
  options: ResolveOptions = {},
): Promise<readonly ResolvedAddress[]> {
  assertHost(host);
  const { family = 0, lookup = lookupByNode as Lookup } = options;
  assertFunction(lookup, "lookup");
  if (family !== 0 && family !== 4 && family !== 6) {
    throw invalidValue(`cannot resolve ${host}: family is ${String(family)}; 0, 4 or 6 is needed`);
  }
  const numeric = isIP(host);
  if (numeric !== 0) return [{ address: host, family: numeric as 4 | 6 }];
  const addresses = await new Promise<readonly ResolvedAddress[]>((resolve, reject) => {
    lookup(host, { all: true, family, verbatim: true }, (error, found) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(found as readonly ResolvedAddress[]);
    });
  });
  const sound = Array.isArray(addresses) && addresses.every((one) => isIP(one?.address ?? "") > 0);
  if (!sound) {
    throw invalidValue(`lookup of ${host} must give numeric addresses: [{ address, family }, …]`);
  }
  if (addresses.length > 0) return addresses;
  const error = new Error(`getaddrinfo ENOTFOUND ${host}`);
  throw Object.assign(error, { code: "ENOTFOUND", syscall: "getaddrinfo", hostname: host });
}

/** Families in turn, beginning with that of the first address. RFC 8305, section 4 */
export function interleave(addresses: readonly ResolvedAddress[]): ResolvedAddress[] {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family);
  const others = addresses.filter(({ family }) => family !== addresses[0]?.family);
  const longest = Math.max(first.length, others.length);
  return Array.from({ length: longest }, (_, i) => [first[i], others[i]])
    .flat()
    .filter((address) => address !== undefined);
}
