// A connected descriptor from a host name, an address or a path, with a deadline and a signal. It
// closes every other descriptor that it opened, whether it succeeds or fails.

import { constants } from "node:os";
import { assertNumber, assertSignal, assertString, toNativeTimeout } from "./arguments.ts";
import { ConnectAttempts, endpointOf } from "./connect-attempts.ts";
import { EAGAIN } from "./errno.ts";
import { invalidValue } from "./errors.ts";
import { assertLocalAddress, assertPort, nameOf } from "./opening.ts";
import { interleave, type ResolveOptions, resolveHost } from "./resolve.ts";
import { connectUnix } from "./unix-socket.ts";

export interface ConnectTarget extends ResolveOptions {
  /** A host name or a numeric address; 127.0.0.1 by default. */
  readonly host?: string;
  /** The TCP port; required unless `path` is given. */
  readonly port?: number;
  /** A Unix socket instead of a host and a port; "\0name" is an abstract one. */
  readonly path?: string;
  /** The numeric local address to connect from. */
  readonly localAddress?: string;
  /** Time limit for the whole connect, the look-up included, in milliseconds; none by default. */
  readonly timeoutMs?: number | null;
  /** Ends the attempt: connect() rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds after which the next address is tried as well; 250 by default. RFC 8305 */
  readonly attemptDelayMs?: number;
}

/** RFC 8305, section 8: recommended, and at least 100 ms. */
const ATTEMPT_DELAY_MS = 250;
/** Nothing reports that the backlog of a Unix socket has room again. */
const UNIX_AGAIN_MS = 5;
const LONGEST_TIMER_MS = 0x7fffffff;

/** @returns a connected, non-blocking descriptor, which the caller closes. */
export async function connectDescriptor(target: ConnectTarget): Promise<number> {
  const { timeoutMs, signal } = target;
  assertTarget(target);
  assertSignal(signal);
  signal?.throwIfAborted();
  const limitMs = toNativeTimeout(timeoutMs);
  return new Promise((resolve, reject) => {
    let cancel: (() => void) | null = () => {};
    /** Settles once: `cancel` is null afterwards. */
    const end = (settle: () => void) => {
      if (cancel === null) return;
      cancel();
      cancel = null;
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(signal?.reason));
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer =
      limitMs < 0
        ? undefined
        : setTimeout(
            () => end(() => reject(timedOut(target, limitMs))),
            Math.min(limitMs, LONGEST_TIMER_MS),
          );
    const begin = target.path === undefined ? beginTcp : beginUnix;
    begin(target, {
      isOver: () => cancel === null,
      onCancel: (stop) => {
        cancel = stop;
      },
      onConnected: (fd) => end(() => resolve(fd)),
    }).catch((error: unknown) => end(() => reject(error)));
  });
}

interface Ending {
  isOver(): boolean;
  /** What closes the attempts that are under way. */
  onCancel(stop: () => void): void;
  onConnected(fd: number): void;
}

/** Rejects if no address could be connected to. */
async function beginTcp(target: ConnectTarget, ending: Ending): Promise<void> {
  const { host = "127.0.0.1", port = 0, localAddress } = target;
  const addresses = await resolveHost(host, target);
  if (ending.isOver()) return;
  const { attemptDelayMs = ATTEMPT_DELAY_MS } = target;
  await new Promise<void>((resolve, reject) => {
    const attempts = new ConnectAttempts(
      interleave(addresses),
      { port, localAddress, attemptDelayMs },
      (result) => {
        if (typeof result !== "number") reject(asOne(result, endpointOf(host, port)));
        else ending.onConnected(result);
        resolve();
      },
    );
    ending.onCancel(() => {
      attempts.cancel();
      resolve();
    });
    attempts.begin();
  });
}

/** EAGAIN: the backlog is full; a blocking connect(2) would wait. */
async function beginUnix({ path = "" }: ConnectTarget, ending: Ending): Promise<void> {
  while (!ending.isOver()) {
    try {
      ending.onConnected(connectUnix({ path }));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno !== -EAGAIN) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, UNIX_AGAIN_MS));
  }
}

function assertTarget(target: ConnectTarget): void {
  const { host, port, path, attemptDelayMs, localAddress, family, lookup } = target;
  for (const [name, value] of Object.entries({ host, path })) {
    if (value !== undefined) assertString(value, name);
  }
  assertLocalAddress(localAddress);
  if (attemptDelayMs !== undefined) assertNumber(attemptDelayMs, "attemptDelayMs");
  if (path === undefined) {
    if (port === undefined) throw invalidValue("cannot connect: a port or a path is needed");
    assertPort(port);
  } else if (port !== undefined || host !== undefined) {
    throw invalidValue(
      `cannot connect to ${nameOf(path)}: give either a path or a host and a port`,
    );
  } else if ([localAddress, attemptDelayMs, family, lookup].some((one) => one !== undefined)) {
    throw invalidValue(
      `cannot connect to ${nameOf(path)}: localAddress, attemptDelayMs, family and lookup are ` +
        "for a host and a port only",
    );
  }
  if (
    attemptDelayMs !== undefined &&
    !(attemptDelayMs >= 0 && attemptDelayMs <= LONGEST_TIMER_MS)
  ) {
    throw invalidValue(`attemptDelayMs is ${attemptDelayMs}; it must be 0 … ${LONGEST_TIMER_MS}`);
  }
}

/** The one error, or all of them in the form of node:net. */
function asOne(errors: readonly NodeJS.ErrnoException[], endpoint: string): Error {
  const [first] = errors;
  if (errors.length === 1 && first !== undefined) return first;
  const each = errors.map(({ message }) => message).join("; ");
  const error = new AggregateError(errors, `cannot connect to ${endpoint}: ${each}`);
  const { code, errno, syscall } = first ?? {};
  return Object.assign(error, { code, errno, syscall });
}

function timedOut({ host = "127.0.0.1", port = 0, path }: ConnectTarget, limitMs: number): Error {
  const endpoint = path === undefined ? endpointOf(host, port) : nameOf(path);
  const error = new Error(`connect ETIMEDOUT ${endpoint}: no connection within ${limitMs} ms`);
  const errno = -constants.errno.ETIMEDOUT;
  const to = path === undefined ? { address: host, port } : { address: path };
  return Object.assign(error, { code: "ETIMEDOUT", errno, syscall: "connect", ...to });
}
