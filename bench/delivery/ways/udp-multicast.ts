// A multicast group for each event, all on one port: the kernel copies the datagram to the sockets
// that joined the group. Unlike a broadcast it can cross to other hosts. ip(7), RFC 2365

import {
  bindUdp,
  close,
  DefaultSelector,
  EAGAIN,
  EVENT_READ,
  joinMulticast,
  localPort,
  SocketAddress,
  sendTo,
  setMulticastInterface,
} from "../../../src/index.ts";
import { encodeEvent, howManySockets, type Way } from "../way.ts";
import { watchDatagrams } from "./datagrams.ts";

const LOOPBACK = "127.0.0.1";

/** The group of an event: one of the 64 Ki addresses of the local scope 239.255.0.0/16. */
export const groupOf = (event: number) => `239.255.${(event >> 8) & 255}.${event & 255}`;

function freePort(): number {
  const probe = bindUdp({ host: "0.0.0.0" });
  try {
    return localPort(probe);
  } finally {
    close(probe);
  }
}

/** A socket for each group: bound to it, it gets no datagram of another group on the port. */
function join(event: number, port: number): number {
  const group = groupOf(event);
  const fd = bindUdp({ host: group, port, reuseAddress: true });
  try {
    joinMulticast(fd, { group, interface: LOOPBACK });
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

export const udpMulticast: Way = {
  name: "udp:multicast",
  known: "nothing",
  bytesReach: "all",
  wakesOthers: false,
  holds: "64 Ki groups of 239.255.0.0/16 per port",

  async refusal() {
    try {
      close(join(0, 0));
      return null;
    } catch (error) {
      return `no multicast on ${LOOPBACK}: ${(error as Error).message}`;
    }
  },

  prepare(folder) {
    return { folder, ports: [freePort()] };
  },

  listen({ ports: [port = 0] = [] }, events, onEvent) {
    const selector = new DefaultSelector();
    for (const event of events) selector.register(join(event, port), EVENT_READ);
    void watchDatagrams(selector, onEvent);
  },

  open({ ports: [port = 0] = [] }) {
    const socket = bindUdp({ host: LOOPBACK });
    setMulticastInterface(socket, LOOPBACK);
    return {
      emit(event, sequence) {
        const sent = sendTo(
          socket,
          encodeEvent(event, sequence),
          SocketAddress.inet(groupOf(event), port),
        );
        // A full send buffer loses the datagram, as the network may.
        if (sent < 0 && sent !== -EAGAIN) throw new Error(`sendto: errno ${-sent}`);
        return null;
      },
      close: () => close(socket),
    };
  },

  hold(_folder, events) {
    const port = freePort();
    return howManySockets(Math.min(events, 1 << 16), (event) => join(event, port));
  },
};
