// The engines of a thread, each made when it is first needed, and the choice of one for a server or
// a connection.

import { assertBoolean, assertIdleMs, assertNumber, assertOneOf } from "./arguments.ts";
import { defaultBackend } from "./backends.ts";
import type { Connection, ConnectionHandlers } from "./connection.ts";
import { Engine } from "./engine.ts";
import { EngineConnection } from "./engine-connection.ts";
import { invalidType, invalidValue } from "./errors.ts";
import { assertHandlers } from "./handlers.ts";
import { assertOptions } from "./opening.ts";
import { Reactor } from "./reactor.ts";
import type { Role } from "./role.ts";
import type { BackendName } from "./selector.ts";

/** What serves connections: readiness over any backend, or completions over io_uring (Linux). */
export type EngineName = "readiness" | "io_uring";

/** Options of every connection, of serve, connect and adopt. */
export interface ConnectionOptions {
  /** Buffered bytes above which `write()` returns false; 64 KiB unless given. */
  readonly highWaterMark?: number;
  /** Buffered bytes at which `drain` is called; a quarter of `highWaterMark` unless given. */
  readonly lowWaterMark?: number;
  /** Milliseconds without a byte in either direction after which `idle` is called; 0: never. */
  readonly idleTimeoutMs?: number;
  /** Whether a connection goes on sending after its peer has ended; false unless given. */
  readonly allowHalfOpen?: boolean;
  /** What serves the connection; "readiness" unless given. */
  readonly engine?: EngineName;
  /** The backend of the readiness engine; that of DefaultSelector unless given. */
  readonly backend?: BackendName;
  /**
   * Serves the connections in this Reactor's turns, so that a thread that blocks in handleEvents()
   * serves them, too. Unless given, Node's own event loop serves them. Not available for the
   * backends select and poll.
   */
  readonly reactor?: Reactor;
}

const ENGINES = ["readiness", "io_uring"] as const satisfies EngineName[];
const BACKENDS = ["epoll", "kqueue", "poll", "select", "io_uring"] as const satisfies BackendName[];
const HIGH_WATER_MARK = 64 * 1024;
const MOST_BYTES = Number.MAX_SAFE_INTEGER;

const hosted = new Map<string, Engine>();
const ofReactors = new WeakMap<Reactor, Map<string, Engine>>();

/** Those that share the reactor's turns, or Node's. */
function enginesOf(reactor: Reactor | undefined): Map<string, Engine> {
  if (reactor === undefined) return hosted;
  if (!(reactor instanceof Reactor)) throw invalidType("reactor is not a Reactor of this library");
  const engines = ofReactors.get(reactor) ?? new Map<string, Engine>();
  ofReactors.set(reactor, engines);
  return engines;
}

/** The engine of this thread for these options. @throws {Error} if this machine refuses it. */
function engineFor(options: ConnectionOptions): Engine {
  const { engine = "readiness", backend: named } = options;
  assertOneOf(engine, ENGINES, "engine");
  if (named !== undefined) assertOneOf(named, BACKENDS, "backend");
  if (named !== undefined && engine === "io_uring") {
    throw invalidValue(`backend "${named}" is for the readiness engine; engine is "io_uring"`);
  }
  const backend = engine === "io_uring" ? null : (named ?? defaultBackend());
  const engines = enginesOf(options.reactor);
  const key = `${engine}:${backend}`;
  let found = engines.get(key);
  if (found === undefined) {
    found = new Engine(backend, options.reactor);
    engines.set(key, found);
  }
  return found;
}

/** Checks the options, and fills in what is missing. */
export function makeRole<T, C extends (() => void) | null>(
  handlers: ConnectionHandlers<T>,
  options: ConnectionOptions,
  closed: C,
): Role<T> & { readonly engine: Engine; readonly closed: C } {
  assertHandlers(handlers);
  assertOptions(options);
  const { highWaterMark = HIGH_WATER_MARK, allowHalfOpen = false } = options;
  assertBoolean(allowHalfOpen, "allowHalfOpen");
  assertBytes(highWaterMark, "highWaterMark");
  const { lowWaterMark = Math.floor(highWaterMark / 4) } = options;
  assertBytes(lowWaterMark, "lowWaterMark");
  if (lowWaterMark > highWaterMark) {
    throw invalidValue(`lowWaterMark is ${lowWaterMark}, above highWaterMark ${highWaterMark}`);
  }
  if (options.idleTimeoutMs !== undefined) assertIdleMs(options.idleTimeoutMs);
  const engine = engineFor(options);
  return { engine, handlers, highWaterMark, lowWaterMark, allowHalfOpen, closed };
}

/**
 * Takes over a connected descriptor, which is closed with the connection.
 * @throws {Error} in Node's form; the caller then closes the descriptor.
 */
export function adoptInto<T>(
  fd: number,
  role: Role<T> & { readonly engine: Engine },
  idleMs = 0,
): Connection<T> {
  const connection = new EngineConnection(role, fd);
  const settings = { paused: role.handlers.data === undefined, idleMs: Math.ceil(idleMs) };
  try {
    role.engine.adopt(fd, connection as unknown as EngineConnection, settings);
  } catch (error) {
    connection.unref(); // it is no connection, and keeps nothing alive
    throw error;
  }
  return connection;
}

function assertBytes(bytes: number, name: string): void {
  assertNumber(bytes, name);
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= MOST_BYTES) return;
  throw invalidValue(`${name} is ${String(bytes)}; a number of bytes from 0 on is needed`);
}
