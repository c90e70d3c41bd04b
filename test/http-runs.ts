// HTTP servers in this process for runs of the load generator, and what a clean run looks like.

import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { type Answer, type Outcome, run } from "./load-runs.ts";

const servers = new Set<Server>();

/** For afterEach(): nothing of a test outlives it. */
export function endHttp(): void {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  servers.clear();
}

export type Options = Readonly<Record<string, string | number>>;

export async function listenHttp(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  servers.add(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** Answers each request head with these bytes. */
export const raw =
  (answer: string): Answer =>
  (socket, data) => {
    const requests = data.toString("latin1").split("\r\n\r\n").length - 1;
    for (let left = requests; left > 0; left--) socket.write(answer);
  };

export const http = (port: number, options: Options = {}) =>
  run(port, { protocol: "http", ...options });

export function expectClean({ code, result }: Outcome): void {
  expect(result).toMatchObject({ mismatches: 0, missing: 0, connectionsLost: 0, error: null });
  expect(result["faults"]).toEqual({});
  expect(result["clientAllocations"]).toBe(0);
  expect(result.messages).toBeGreaterThan(0);
  expect(code).toBe(0);
}
