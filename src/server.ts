// serve: listens, accepts, and gives every connection the same handlers. If the process is out of
// descriptors or memory, accepting pauses and resumes by itself. Schmidt's Acceptor pattern.

import { lookup } from "node:dns/promises";
import { rmSync } from "node:fs";
import { isIP } from "node:net";
import { descriptorOf } from "./arguments.ts";
import type { ConnectionHandlers } from "./connection.ts";
import { close } from "./descriptor.ts";
import type { Engine } from "./engine.ts";
import { EngineConnection } from "./engine-connection.ts";
import { type ConnectionOptions, makeRole } from "./engines.ts";
import { invalidValue } from "./errors.ts";
import { type EngineCounters, systemError } from "./native.ts";
import { assertInteger, assertOptions } from "./opening.ts";
import type { Role } from "./role.ts";
import type { FileLike } from "./selector.ts";
import { checkedListen, listenTcp } from "./socket.ts";
import { localAddress, type SocketAddress } from "./socket-address.ts";
import { SUBMIT_DESTROY, SUBMIT_MORE_ACCEPTS } from "./submissions.ts";
import { listenUnix } from "./unix-socket.ts";

const NOT_LISTENING = -1;
const ANY_NUMBER = -1;
const MOST_CONNECTIONS = 0x7fffffff;

interface ServerRole<T> extends Role<T> {
  readonly engine: Engine;
  readonly closed: () => void;
  readonly idleMs: number;
}

/** Options of serve: where to listen, and the options of each accepted connection. */
export interface ServeOptions extends ConnectionOptions {
  /** A numeric address, or a name for Node's resolver; 127.0.0.1 unless given. */
  readonly host?: string;
  /** A TCP port. With 0, or without port, path and fd, the system picks one. */
  readonly port?: number;
  /**
   * Instead of a port: the path of a Unix socket, or "\0name" for an abstract one. The file is
   * removed when the server closes. unix(7)
   */
  readonly path?: string;
  /** Instead of a port: a listening socket, which the server takes over. */
  readonly fd?: FileLike;
  /** SO_REUSEPORT: several servers share the port. socket(7) */
  readonly reusePort?: boolean;
  /** Connections that wait to be accepted; the system's limit, at most 4096, unless given. */
  readonly backlog?: number;
  /** Most open connections; further ones wait in the backlog. Default: no limit. */
  readonly maxConnections?: number;
}

export type { EngineCounters } from "./native.ts";

/** Options of Server.close. */
export interface CloseOptions {
  /** "destroy" also closes the connections that are open; otherwise they end by themselves. */
  readonly connections?: "destroy";
}

/** A listening socket and the connections that it has accepted. */
export class Server<T = undefined> implements AsyncDisposable {
  /**
   * Resolves once the server listens (at once unless `host` is a name), or if it is closed before
   * that. Rejects if the name cannot be resolved, or if the server cannot listen on its address.
   */
  readonly ready: Promise<void>;
  readonly #role: ServerRole<T>;
  readonly #options: ServeOptions;
  #resolveClosed: () => void = () => {};
  readonly #closed = new Promise<void>((resolve) => {
    this.#resolveClosed = resolve;
  });
  #slot = NOT_LISTENING;
  #address: SocketAddress | null = null;
  #connections = 0;
  #closing = false;
  #destroying = false;
  #referenced = true;

  /** @internal */
  constructor(options: ServeOptions, handlers: ConnectionHandlers<T>) {
    assertOptions(options);
    const { maxConnections, idleTimeoutMs = 0, path, fd } = options;
    if (maxConnections !== undefined) {
      assertInteger(maxConnections, MOST_CONNECTIONS, "a number of connections");
    }
    this.#options = options;
    const closed = () => this.#onConnectionClosed();
    this.#role = { ...makeRole(handlers, options, closed), idleMs: Math.ceil(idleTimeoutMs) };
    const { host } = checkedListen(options);
    const elsewhere = path !== undefined || fd !== undefined;
    if (elsewhere && options.host !== undefined) {
      throw invalidValue("host is for a port: give either host, or path or fd");
    }
    const named = !elsewhere && isIP(host) === 0;
    if (!named) this.#listen(host);
    this.ready = named ? this.#listenByName(host) : Promise.resolve();
  }

  /** Where it listens; null until `ready`. */
  get address(): SocketAddress | null {
    return this.#address;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections;
  }

  /** Calls, events and bytes of the engine that serves this thread, since it was made. */
  engineCounters(): EngineCounters {
    return this.#role.engine.counters();
  }

  /** Whether `close()` was called, or accepting has failed. */
  get closed(): boolean {
    return this.#closing;
  }

  /**
   * Stops accepting. Open connections go on unless `connections` is "destroy".
   * @returns resolved once the port is free and every connection has closed.
   */
  close(options: CloseOptions = {}): Promise<void> {
    assertOptions(options);
    const { connections } = options;
    if (connections !== undefined && connections !== "destroy") {
      throw invalidValue(`connections is "${String(connections)}"; use "destroy", or omit it`);
    }
    if (connections === "destroy") {
      this.#destroying = true;
      this.#role.engine.destroyAll(this.#role.closed);
    }
    if (!this.#closing) {
      this.#closing = true;
      if (this.#slot === NOT_LISTENING) {
        this.#resolveIfOver();
      } else {
        this.#role.engine.submit(this.#slot, SUBMIT_DESTROY);
        this.#role.engine.flush(); // what connects from now on is refused
      }
    }
    return this.#closed;
  }

  /** Lets the listener keep the process alive; this is the default. */
  ref(): this {
    if (!this.#referenced && this.#slot !== NOT_LISTENING) this.#role.engine.ref();
    this.#referenced = true;
    return this;
  }

  /** From now on the listener does not keep the process alive. */
  unref(): this {
    if (this.#referenced && this.#slot !== NOT_LISTENING) this.#role.engine.unref();
    this.#referenced = false;
    return this;
  }

  /** As `close({ connections: "destroy" })`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ connections: "destroy" });
  }

  async #listenByName(host: string): Promise<void> {
    try {
      const { address } = await lookup(host);
      if (!this.#closing) this.#listen(address);
    } catch (error) {
      if (!this.#closing) throw error; // a program does not wait for a server that it closed
    }
  }

  #listen(host: string): void {
    const fd = openListener(host, this.#options);
    try {
      this.#address = localAddress(fd);
      const settings = {
        room: this.#options.maxConnections ?? ANY_NUMBER,
        paused: this.#role.handlers.data === undefined,
        idleMs: this.#role.idleMs,
      };
      this.#role.engine.listen(fd, settings, {
        destroys: () => this.#destroying,
        accepted: (slot) => this.#accepted(slot),
        closed: (errno) => this.#onListenerClosed(errno),
      });
    } catch (error) {
      if (this.#options.fd === undefined) {
        close(fd);
        this.#removeSocket();
      }
      throw error;
    }
    this.#slot = fd;
    if (this.#referenced) this.#role.engine.ref();
  }

  #accepted(slot: number): EngineConnection {
    this.#connections++;
    // The engine does not look at what a connection carries.
    return new EngineConnection(this.#role, slot) as unknown as EngineConnection;
  }

  #onConnectionClosed(): void {
    this.#connections--;
    // Once it is closing, the number of its listener may be another server's.
    const accepts = this.#slot !== NOT_LISTENING && !this.#closing;
    if (this.#options.maxConnections !== undefined && accepts) {
      this.#role.engine.submit(this.#slot, SUBMIT_MORE_ACCEPTS, 0, 1);
    }
    this.#resolveIfOver();
  }

  #onListenerClosed(errno: number): void {
    this.#slot = NOT_LISTENING;
    if (this.#referenced) this.#role.engine.unref();
    this.#removeSocket();
    const failed = errno < 0 && !this.#closing;
    this.#closing = true;
    this.#resolveIfOver();
    if (failed) {
      this.#role.engine.raise(systemError(errno, `cannot accept on ${this.#address}`, "accept"));
    }
  }

  /** A socket that cannot be removed stays: the server is closed all the same. */
  #removeSocket(): void {
    const { path } = this.#options;
    if (path === undefined || path.startsWith("\0")) return;
    try {
      rmSync(path, { force: true });
    } catch (error) {
      const { message } = error as Error;
      process.emitWarning(
        `the socket "${path}" stays: ${message}; remove it to listen there again`,
      );
    }
  }

  #resolveIfOver(): void {
    const listening = this.#slot !== NOT_LISTENING;
    if (this.#closing && !listening && this.#connections === 0) this.#resolveClosed();
  }
}

/**
 * Serves connections: `handlers` are called for each accepted connection.
 * @returns a server that listens; one whose `host` is a name listens once `ready` is resolved.
 * @throws {Error} in Node's form: `{ code: 'EADDRINUSE', errno, syscall: 'bind' }`; if `host` is a
 *   name, `ready` is rejected with it. {RangeError | TypeError} for invalid options.
 */
export function serve<T = undefined>(
  options: ServeOptions,
  handlers: ConnectionHandlers<T>,
): Server<T> {
  return new Server(options, handlers);
}

function openListener(host: string, options: ServeOptions): number {
  const { port = 0, path, fd, backlog = 0, reusePort = false } = options;
  const ways = [options.port, path, fd].filter((way) => way !== undefined);
  if (ways.length > 1) throw invalidValue("port, path and fd exclude one another: give one");
  const isTcp = fd === undefined && path === undefined;
  if (options.reusePort !== undefined && !isTcp) {
    throw invalidValue("reusePort is for a host and a port only");
  }
  if (options.backlog !== undefined && fd !== undefined) {
    throw invalidValue("backlog is not for fd, which listens already");
  }
  if (fd !== undefined) return descriptorOf(fd);
  if (path !== undefined) return listenUnix({ path, backlog });
  return listenTcp({ host, port, backlog, reusePort });
}
