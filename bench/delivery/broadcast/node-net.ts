// node:net: Node's own sockets, which most programs use today; Node keeps the queues.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { BroadcastServer } from "./room.ts";

export const nodeNetRoom: BroadcastServer = {
  name: "node:net",
  async start() {
    const members = new Set<Socket>();
    const server = createServer({ noDelay: true }, (socket) => {
      members.add(socket);
      socket.on("data", (bytes) => {
        for (const member of members) member.write(bytes);
      });
      socket.on("error", () => {}); // "close" follows
      socket.on("close", () => members.delete(socket));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  },
};
