// One connection from several addresses. Attempts start in turn, each before the previous one has
// failed; the first to succeed wins. RFC 8305, section 5

import { getSystemErrorName } from "node:util";
import { close } from "./descriptor.ts";
import { DescriptorWatch } from "./descriptor-watch.ts";
import type { ResolvedAddress } from "./resolve.ts";
import { EVENT_WRITE } from "./selector.ts";
import { connectTcp, socketError } from "./socket.ts";

export interface AttemptOptions {
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly attemptDelayMs: number;
}

/** The attempts to reach one host; they end with one descriptor, or with none. */
export class ConnectAttempts {
  readonly #options: AttemptOptions;
  readonly #waiting: ResolvedAddress[];
  readonly #pending = new Map<number, DescriptorWatch>();
  readonly #errors: Error[] = [];
  readonly #over: (result: number | readonly Error[]) => void;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param over called once, perhaps before this returns: with a connected descriptor, which the
   *   caller closes, or with the error of each address. Never called after cancel().
   */
  constructor(
    addresses: readonly ResolvedAddress[],
    options: AttemptOptions,
    over: (result: number | readonly Error[]) => void,
  ) {
    this.#waiting = [...addresses];
    this.#options = options;
    this.#over = over;
  }

  /** Begins the next attempt, now and whenever the last one takes long or fails. */
  begin(): void {
    clearTimeout(this.#timer);
    const next = this.#waiting.shift();
    if (next === undefined) {
      if (this.#pending.size === 0) this.#over(this.#errors);
      return;
    }
    try {
      this.#attempt(next);
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException, next);
      return;
    }
    if (this.#waiting.length > 0) {
      this.#timer = setTimeout(() => this.begin(), this.#options.attemptDelayMs);
    }
  }

  /** Closes the attempts that are under way. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    for (const fd of this.#pending.keys()) this.#close(fd);
  }

  #attempt(address: ResolvedAddress): void {
    const { port, localAddress } = this.#options;
    const fd = connectTcp({
      host: address.address,
      port,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    const watch = new DescriptorWatch(fd, EVENT_WRITE, {
      onReady: () => this.#ended(fd, address),
      onFailure: (error) => {
        this.#close(fd);
        this.#fail(error, address);
      },
    });
    this.#pending.set(fd, watch);
    try {
      watch.start();
    } catch (error) {
      this.#close(fd);
      throw error;
    }
  }

  #ended(fd: number, address: ResolvedAddress): void {
    const errno = socketError(fd);
    if (errno !== 0) {
      this.#close(fd);
      const code = getSystemErrorName(-errno);
      this.#fail(Object.assign(new Error(), { code, errno: -errno, syscall: "connect" }), address);
      return;
    }
    this.#pending.get(fd)?.stop();
    this.#pending.delete(fd);
    this.cancel();
    this.#over(fd);
  }

  #fail(error: NodeJS.ErrnoException, { address }: ResolvedAddress): void {
    const { port } = this.#options;
    if (error.syscall === "connect") {
      error.message = `connect ${error.code} ${endpointOf(address, port)}`;
    }
    this.#errors.push(Object.assign(error, { address, port }));
    this.begin();
  }

  #close(fd: number): void {
    this.#pending.get(fd)?.stop();
    this.#pending.delete(fd);
    close(fd);
  }
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function endpointOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
