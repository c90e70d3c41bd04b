// The live page's server: HTTP on 127.0.0.1 and on no other interface, for browsers of this machine
// only. A foreign name in the Host header is refused: a page from elsewhere could have its name
// point here (DNS rebinding). WHATWG HTML, "Server-sent events"; RFC 9110.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { deferred, within } from "../host/deadline.ts";
import type { LiveMessage } from "../model/live.ts";

interface Serving {
  /** 0 for any that is free. */
  readonly port: number;
  readonly page: string;
  /** The messages that a page gets first if it connects late. */
  readonly past: () => readonly LiveMessage[];
}

const host = "127.0.0.1";
/** Tabs, not an audience. */
const mostClients = 16;
/** How long a client may take to fetch the final report. */
const handOverMs = 2_000;

export class LiveServer {
  readonly #serving: Serving;
  readonly #server: Server;
  readonly #clients = new Set<ServerResponse>();
  #port = 0;
  #report: string | null = null;
  #onFetched: () => void = () => {};

  private constructor(serving: Serving) {
    this.#serving = serving;
    this.#server = createServer((request, response) => this.#answer(request, response));
    // An open page must not keep the run from ending.
    this.#server.unref();
  }

  /** @throws the system's error where the port is taken. */
  static async listen(serving: Serving): Promise<LiveServer> {
    const live = new LiveServer(serving);
    await new Promise<void>((resolve, reject) => {
      live.#server.once("error", reject);
      live.#server.listen({ host, port: serving.port, exclusive: true }, () => resolve());
    });
    live.#port = (live.#server.address() as AddressInfo).port;
    return live;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${host}:${this.port}/`;
  }

  send(message: LiveMessage): void {
    for (const client of this.#clients) client.write(eventText(message));
  }

  /** Resolves when every open page has fetched it, or 2 s later, and stops listening. */
  async handOver(report: string, finished: () => void): Promise<void> {
    this.#report = report;
    let waiting = this.#clients.size;
    const fetched = deferred<object>();
    this.#onFetched = () => {
      waiting -= 1;
      if (waiting <= 0) fetched.resolve({});
    };
    finished();
    if (waiting > 0) await within(fetched.promise, { timeoutMs: handOverMs });
    await this.close();
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #answer({ method, url = "/", headers }: IncomingMessage, response: ServerResponse): void {
    const [path] = url.split("?");
    if (!isOwnHost(headers.host, this.port)) refuse(response, 403, "foreign Host header");
    else if (method !== "GET") refuse(response, 405, "GET only");
    else if (path === "/") sendPage(response, this.#serving.page);
    else if (path === "/events") this.#stream(response);
    else if (path === "/report.html" && this.#report !== null) {
      // "finish" is when the kernel has it all.
      response.once("finish", () => this.#onFetched());
      sendPage(response, this.#report);
    } else refuse(response, 404, "no such page");
  }

  #stream(response: ServerResponse): void {
    if (this.#clients.size >= mostClients) {
      refuse(response, 503, "too many pages are open");
      return;
    }
    response.writeHead(200, { ...commonHeaders, "content-type": "text/event-stream" });
    for (const message of this.#serving.past()) response.write(eventText(message));
    this.#clients.add(response);
    response.once("close", () => this.#clients.delete(response));
    response.on("error", () => this.#clients.delete(response));
  }
}

/** Whether a Host header names this server; browsers omit the port if it is http's own, 80. */
export function isOwnHost(name: string | undefined, port: number): boolean {
  const ends = port === 80 ? ["", ":80"] : [`:${port}`];
  return ends.some((end) => name === `${host}${end}` || name === `localhost${end}`);
}

const commonHeaders = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

function sendPage(response: ServerResponse, page: string): void {
  response.writeHead(200, {
    ...commonHeaders,
    "content-type": "text/html; charset=utf-8",
    "content-length": Buffer.byteLength(page),
    "x-frame-options": "DENY",
    connection: "close",
  });
  response.end(page);
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { ...commonHeaders, "content-type": "text/plain; charset=utf-8" });
  response.end(`${reason}\n`);
}

/** JSON has no line breaks of its own, which would end a field. */
function eventText({ kind, data }: LiveMessage): string {
  return `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
