// The sending end: the lines of one FIFO, each kept until the receiver has acknowledged it. While
// the receiver is away the FIFO is not read once the queue is full, so its writers wait.

import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Connection,
  close,
  connect,
  lines,
  makeFifo,
  openFifo,
  toReadable,
} from "../../src/index.ts";
import { LineSplitter } from "./line-splitter.ts";

const MOST_LINES = 1000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
const CONNECT_MS = 5000;
/** How long it waits for the acknowledgements that are missing at SIGTERM. */
const FAREWELL_MS = 2000;
const LONGEST_ACKNOWLEDGEMENT = 16; // digits

export interface Route {
  readonly fifo: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Sends the lines of a FIFO, which is made if it does not exist, until `signal` is aborted.
 * @returns how many lines were read from it and not acknowledged.
 */
export async function sendLines(route: Route, signal: AbortSignal): Promise<number> {
  if (!existsSync(route.fifo)) makeFifo(route.fifo);
  const input = toReadable(openFifo(route.fifo, "read"));
  // A FIFO ends when its last writer closes it: this one stays open.
  const writer = openFifo(route.fifo, "write");
  const sender = new Sender(route, input);
  await sender.run(signal);
  input.destroy();
  close(writer);
  if (sender.waiting > 0) console.error(`${route.fifo}: ${sender.waiting} lines were not sent`);
  return sender.waiting;
}

class Sender {
  readonly #route: Route;
  readonly #input: Readable;
  /** In their order, each with its newline: what no receiver has acknowledged. */
  readonly #lines: Uint8Array[] = [];
  #connection: Connection | null = null;
  #sent = 0; // of #lines, on this connection
  #acknowledged = 0; // on this connection
  #pauseMs = FIRST_PAUSE_MS;
  #farewell: NodeJS.Timeout | undefined;

  constructor(route: Route, input: Readable) {
    this.#route = route;
    this.#input = input;
    const splitter = new LineSplitter((bytes) =>
      console.error(`${route.fifo}: a line of more than ${bytes} bytes was skipped`),
    );
    input.on("data", (chunk: Buffer) => {
      this.#lines.push(...splitter.split(chunk));
      if (this.#lines.length >= MOST_LINES) input.pause();
      this.#sendMore();
    });
  }

  get waiting(): number {
    return this.#lines.length;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { fifo, host, port } = this.#route;
    console.error(`${fifo}: forwarding to ${host}:${port}`);
    while (!signal.aborted) {
      const reason = await this.#connectOnce(signal);
      if (signal.aborted) return;
      const pauseMs = this.#pauseMs * (0.5 + Math.random() / 2);
      console.error(`${fifo}: ${reason}; again in ${Math.round(pauseMs)} ms`);
      this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Connects, and sends until the connection ends. @returns why it ended. */
  #connectOnce(signal: AbortSignal): Promise<string> {
    const { host, port } = this.#route;
    return new Promise((resolve) => {
      const handlers = lines({
        longest: LONGEST_ACKNOWLEDGEMENT,
        onLine: (connection, line) => this.#acknowledge(connection, Number(line)),
        drain: () => this.#sendMore(),
        close: (_connection, error) => {
          signal.removeEventListener("abort", leave);
          clearTimeout(this.#farewell);
          this.#connection = null;
          resolve(error?.message ?? "the receiver has closed the connection");
        },
      });
      const leave = () => this.#leave();
      connect({ host, port, timeoutMs: CONNECT_MS, signal }, handlers)
        .then((connection) => {
          signal.addEventListener("abort", leave);
          this.#begin(connection);
        })
        .catch((error: Error) => resolve(error.message));
    });
  }

  #begin(connection: Connection): void {
    this.#connection = connection;
    this.#sent = this.#acknowledged = 0;
    connection.write(`${basename(this.#route.fifo)}\n`);
    this.#sendMore();
  }

  /** Reads nothing more, and closes once everything is acknowledged or FAREWELL_MS have passed. */
  #leave(): void {
    this.#input.pause();
    const close = () => this.#connection?.destroy();
    if (this.#lines.length === 0) close();
    else this.#farewell = setTimeout(close, FAREWELL_MS);
  }

  #sendMore(): void {
    const connection = this.#connection;
    while (connection?.writable === true) {
      const line = this.#lines[this.#sent];
      if (line === undefined) return;
      this.#sent++;
      if (!connection.write(line)) return; // drain calls this again
    }
  }

  /** The receiver has written that many lines of this connection into its FIFO. */
  #acknowledge(connection: Connection, count: number): void {
    const fresh = count - this.#acknowledged;
    if (!Number.isInteger(fresh) || fresh < 0 || fresh > this.#sent) {
      const reason = `${count} is no acknowledgement of ${this.#acknowledged + this.#sent} lines`;
      connection.destroy(new Error(reason));
      return;
    }
    this.#lines.splice(0, fresh);
    this.#sent -= fresh;
    this.#acknowledged = count;
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#farewell !== undefined) {
      if (this.#lines.length === 0) connection.destroy();
    } else if (this.#lines.length < MOST_LINES) {
      this.#input.resume();
    }
  }
}
