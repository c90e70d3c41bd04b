// Socket addresses: the sender or receiver of a datagram, the two ends of a connection. The bytes
// are in native code's own form, so that recvFrom can fill the same address repeatedly. ip(7),
// ipv6(7), unix(7)

import { descriptorOf } from "./arguments.ts";
import { type NativeAddress, native } from "./native.ts";
import { assertHost, assertPort, assertUnixPath, nameOf, orThrow, orThrowHost } from "./opening.ts";

/** The memory of an address, undefined for what is none. Not part of the public contract. */
export let bytesOf: (address: unknown) => Uint8Array | undefined;

/** `new SocketAddress()` is empty, for recvFrom to fill; its family is `none`. */
export class SocketAddress {
  readonly #bytes = new Uint8Array(native.addressBytes);

  static {
    bytesOf = (address) =>
      typeof address === "object" && address !== null && #bytes in address
        ? address.#bytes
        : undefined;
  }

  /** @throws {Error} in Node's form: `EINVAL` if the host is not a numeric IPv4 or IPv6 address. */
  static inet(host: string, port: number): SocketAddress {
    assertHost(host);
    assertPort(port);
    const address = new SocketAddress();
    const answer = native.inetAddress(host, port, address.#bytes);
    orThrowHost(answer, host, `cannot address ${host}:${port}`);
    return address;
  }

  /** A path, or "\0name", an abstract one. @throws {RangeError} if it is too long. */
  static unix(path: string): SocketAddress {
    assertUnixPath(path);
    const address = new SocketAddress();
    const answer = native.unixAddress(path, address.#bytes);
    orThrow(answer, `cannot address ${nameOf(path)}`, "only Linux has abstract names");
    return address;
  }

  /** `none`: it is empty, or the sender has no name. */
  get family(): NativeAddress["family"] {
    return this.#words().family;
  }

  /** The numeric host of an IPv4 or IPv6 address, else empty. */
  get host(): string {
    return this.#words().host;
  }

  /** The port of an IPv4 or IPv6 address, else 0. */
  get port(): number {
    return this.#words().port;
  }

  /** The path or abstract name of a Unix socket; empty if it has none. */
  get path(): string {
    return this.#words().path;
  }

  /** `127.0.0.1:80`, `[::1]:80`, `/run/socket`, `@abstract`; empty for an empty address. */
  toString(): string {
    const { family, host, port, path } = this.#words();
    if (family === "IPv4") return `${host}:${port}`;
    return family === "IPv6" ? `[${host}]:${port}` : nameOf(path);
  }

  #words(): NativeAddress {
    return native.describeAddress(this.#bytes);
  }
}

function memoryOf(address: SocketAddress): Uint8Array {
  return bytesOf(address) as Uint8Array;
}

/**
 * Returns the address that a socket is bound to.
 * @throws {Error} in Node's form: `ENOTSOCK`.
 * @see getsockname(2)
 */
export function localAddress(fd: number): SocketAddress {
  const address = new SocketAddress();
  orThrow(
    native.localAddress(descriptorOf(fd), memoryOf(address)),
    `cannot read the address of fd ${fd}`,
  );
  return address;
}

/**
 * Returns the address that a socket is connected to.
 * @throws {Error} in Node's form: `ENOTCONN`.
 * @see getpeername(2)
 */
export function peerAddress(fd: number): SocketAddress {
  const address = new SocketAddress();
  orThrow(
    native.peerAddress(descriptorOf(fd), memoryOf(address)),
    `cannot read the peer address of fd ${fd}`,
  );
  return address;
}

/** Null for what has none: ENOTSOCK of a pipe or a terminal; ENOTCONN once the peer has reset. */
export function addressOrNull(
  ask: (fd: number) => SocketAddress,
  fd: number,
): SocketAddress | null {
  try {
    return ask(fd);
  } catch {
    return null;
  }
}
