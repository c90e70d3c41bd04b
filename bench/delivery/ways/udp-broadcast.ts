// A UDP port for each event, and a broadcast on loopback to all its sockets. udp(7), ip(7)

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { bindUdp, close, DefaultSelector, EVENT_READ, localPort } from "../../../src/index.ts";
import { encodeEvent, howManySockets, type Way } from "../way.ts";
import { watchDatagrams } from "./datagrams.ts";

const BROADCAST = "127.255.255.255";

export const udpBroadcast: Way = {
  name: "udp:broadcast",
  known: "nothing",
  bytesReach: "all",
  wakesOthers: false,
  holds: "64 Ki ports for all programs of the machine together",

  prepare(folder, events) {
    const sockets = Array.from({ length: events }, () => bindUdp({ host: BROADCAST }));
    const ports = sockets.map(localPort);
    for (const socket of sockets) close(socket);
    return { folder, ports };
  },

  listen({ ports = [] }, events, onEvent) {
    const selector = new DefaultSelector();
    for (const event of events) {
      const fd = bindUdp({ host: BROADCAST, port: ports[event] ?? 0, reusePort: true });
      selector.register(fd, EVENT_READ);
    }
    void watchDatagrams(selector, onEvent);
  },

  async open({ ports = [] }) {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    socket.setBroadcast(true);
    return {
      emit(event, sequence) {
        const bytes = encodeEvent(event, sequence);
        return new Promise((resolve, reject) => {
          socket.send(bytes, ports[event] ?? 0, BROADCAST, (error) => {
            if (error === null) resolve(null);
            else reject(error);
          });
        });
      },
      close: () => socket.close(),
    };
  },

  hold: (_folder, events) => howManySockets(events, () => bindUdp({ host: BROADCAST })),
};
