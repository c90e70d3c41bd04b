// node:net: Node's own sockets, which most programs use today. A full write buffer pauses reading
// until 'drain', as Node's documentation recommends.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { BACKLOG } from "../settings.ts";
import { BlockingMessages, block } from "./blocking.ts";
import type { Server, ServerRequest } from "./server.ts";

export function startNodeNetServer(request: ServerRequest): Promise<Server> {
  return serveSockets(request, ({ blocking }, messages, { socket, bytes }) => {
    if (blocking !== null) block(blocking.ms * (messages?.countIn(bytes) ?? 0));
    if (!socket.write(bytes)) socket.pause();
  });
}

interface Received {
  readonly socket: Socket;
  readonly bytes: Buffer;
}
/** @param messages null if no message blocks */
type SocketAnswer = (
  request: ServerRequest,
  messages: BlockingMessages | null,
  received: Received,
) => void;

/** A server that answers as told; all else is the same. */
export async function serveSockets(request: ServerRequest, answer: SocketAnswer): Promise<Server> {
  const { counters, port, blocking } = request;
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    counters.countAccepted();
    open.add(socket);
    const messages = blocking === null ? null : new BlockingMessages(blocking);
    socket.on("data", (bytes: Buffer) => {
      counters.bytesReceived += bytes.length;
      counters.bytesSent += bytes.length;
      answer(request, messages, { socket, bytes });
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
