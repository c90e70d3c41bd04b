// node:net: Node's own sockets, which most programs use today. A full write buffer pauses reading
// until 'drain', as Node's documentation recommends.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { BACKLOG } from "../settings.ts";
import type { Server, ServerRequest } from "./server.ts";

export async function startNodeNetServer({ counters, port }: ServerRequest): Promise<Server> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    counters.countAccepted();
    open.add(socket);
    socket.on("data", (bytes: Buffer) => {
      counters.bytesReceived += bytes.length;
      counters.bytesSent += bytes.length;
      if (!socket.write(bytes)) socket.pause();
    });
    socket.on("drain", () => socket.resume());
    socket.on("error", () => socket.destroy()); // a reset by the peer; 'close' follows
    socket.on("close", () => {
      open.delete(socket);
      counters.connectionsClosed++;
    });
  });
  server.listen({ host: "127.0.0.1", port, backlog: BACKLOG });
  await once(server, "listening");
  const done = once(server, "close").then(async () => {
    // The server's own 'close' comes a tick before that of the last sockets.
    for (const socket of open) await once(socket, "close");
  });
  const stop = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, stop, done };
}
