// Servers, connections and sockets of one test file, all of them gone at the end of each test.

import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import { afterEach } from "vitest";
import {
  type Connection,
  type ConnectionHandlers,
  type ConnectOptions,
  connect,
  type ServeOptions,
  type Server,
  serve,
} from "../../src/index.ts";

const servers: Server[] = [];
const connections: Connection[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const connection of connections.splice(0)) connection.destroy();
  for (const server of servers.splice(0)) await server.close({ connections: "destroy" });
});

export function start(handlers: ConnectionHandlers, options: ServeOptions = {}): Server {
  const server = serve(options, handlers);
  servers.push(server);
  return server;
}

export function portOf(server: Server): number {
  return server.address?.port ?? 0;
}

/** A peer by node:net, for what the library must not be asked to check itself. */
export async function socketTo(
  server: Server,
  options: { readonly allowHalfOpen?: boolean } = {},
): Promise<Socket> {
  const socket = connectSocket({ port: portOf(server), host: "127.0.0.1", ...options });
  sockets.push(socket);
  await once(socket, "connect");
  return socket;
}

export async function connectionTo(
  server: Server,
  handlers: ConnectionHandlers = {},
  options: Partial<ConnectOptions> = {},
): Promise<Connection> {
  const connection = await connect({ port: portOf(server), ...options }, handlers);
  connections.push(connection);
  return connection;
}

/** Everything that a socket receives until its end. */
export async function receiveAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** Bytes of which no two neighbourhoods are alike. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 255;
  return bytes;
}

/** Waits for a condition, a turn of the loop at a time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export const echo: ConnectionHandlers = {
  data(connection, bytes) {
    connection.write(bytes);
  },
};
