// pipeBoth: forwards bytes both ways between two connections, as a proxy does. tokio calls it
// copy_bidirectional.

import type { Connection, ConnectionHandlers } from "./connection.ts";
import { isConnection } from "./connection-stream.ts";
import { release, roleOf, takeOver } from "./connection-symbols.ts";
import type { EngineConnection } from "./engine-connection.ts";
import { closedBeforeEnd, connectionError, invalidType, invalidValue } from "./errors.ts";
import { isReadOnly, isWriteOnly } from "./one-way.ts";
import { reasonOf } from "./withheld.ts";

/** Bytes that pipeBoth(a, b) has forwarded. */
export interface PipedBytes {
  /** Received from `a` and written to `b`. */
  readonly aToB: number;
  /** Received from `b` and written to `a`. */
  readonly bToA: number;
}

const WHAT = "a connection of this pipe";

/**
 * Sends to each connection what the other receives, as fast as the slower one takes it, and passes
 * on the end of each direction. It replaces the handlers of both connections except `close`. If one
 * of them is open in one direction only, such as an end of a pipe, the other direction has ended
 * from the beginning: a socket beside a write-only descriptor is half-closed at once, and what a
 * socket receives beside a read-only one is discarded.
 * @returns the bytes of each direction, once both connections have closed.
 * @throws {Error} the error with which the first of them closed; ERR_STREAM_PREMATURE_CLOSE if one
 *   closed before both had ended. The other is destroyed with it. ERR_CONNECTION_TAKEN if one of
 *   them is detached or gets other handlers before.
 */
export async function pipeBoth<A = undefined, B = undefined>(
  a: Connection<A>,
  b: Connection<B>,
): Promise<PipedBytes> {
  for (const end of [a, b]) {
    if (!isConnection(end)) throw invalidType("pipeBoth takes two connections of this library");
  }
  if (Object.is(a, b)) throw invalidValue("cannot pipe a connection to itself");
  const states: States = { ended: new Set(), left: new Set(), stalled: new Set() };
  const sides = [pipeOne(a, b, states), pipeOne(b, a, states)] as const;
  if (isWriteOnly(a)) b.end();
  if (isWriteOnly(b)) a.end();
  a.resume();
  b.resume();
  const [atA, atB] = await Promise.all(sides.map(({ closed }) => closed));
  const error = atA ?? atB ?? null;
  if (error !== null) throw error;
  return { aToB: sides[0].bytes, bToA: sides[1].bytes };
}

/** What one direction has carried, and how its source closed. */
interface Direction {
  bytes: number;
  readonly closed: Promise<Error | null>;
}

interface States {
  /** The connections of which everything has been received, or that can receive nothing. */
  readonly ended: Set<object>;
  /** Those that were detached, or have other handlers. */
  readonly left: Set<object>;
  /** Those that are paused until the other one has taken what they sent. */
  readonly stalled: Set<object>;
}

function pipeOne<F, T>(from: Connection<F>, to: Connection<T>, states: States): Direction {
  const { ended, left, stalled } = states;
  const { promise: closed, resolve } = withResolvers<Error | null>();
  const direction = { bytes: 0, closed };
  const discards = isReadOnly(to);
  const source = from as EngineConnection<F>;
  if (isWriteOnly(from)) ended.add(from);
  const before = source[roleOf].handlers;
  const handlers: ConnectionHandlers<F> & { [release](): void } = {
    [release]() {
      const what = "a connection of this pipe was detached or got other handlers";
      const error = connectionError("ERR_CONNECTION_TAKEN", what);
      left.add(from);
      if (!left.has(to)) to.destroy(error);
      if (stalled.has(from)) from.resume(); // for whatever takes over
      resolve(error);
    },
    data(_from, bytes) {
      if (discards) return;
      direction.bytes += bytes.length;
      if (to.write(bytes)) return;
      stalled.add(from);
      from.pause();
    },
    drain() {
      stalled.delete(to);
      to.resume();
    },
    error: () => {}, // the connection is destroyed with it, which rejects the promise
    end() {
      ended.add(from);
      to.end();
    },
    close(_from, error) {
      // Unless both have ended it broke off, and nothing more can be carried in either direction.
      const isBroken = !(ended.has(from) && (ended.has(to) || isReadOnly(from)));
      const failure = error ?? (isBroken ? closedBeforeEnd(WHAT) : null);
      if (!left.has(to)) {
        if (failure !== null) to.destroy(failure);
        to.resume();
      }
      resolve(failure);
      before.close?.(from, error); // last: it may throw
    },
  };
  source[takeOver]({ handlers, endsItself: true, pacesItself: true });
  if (from.closed) {
    const failure = reasonOf(from) ?? closedBeforeEnd(WHAT);
    to.destroy(failure);
    resolve(failure);
  }
  return direction;
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<R>(): { promise: Promise<R>; resolve: (result: R) => void } {
  let resolve: (result: R) => void = () => {};
  const promise = new Promise<R>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
