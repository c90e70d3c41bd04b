// A folder for each event, with a Unix datagram socket per listener: the sender sends to one after
// another, and learns for each whether its socket took the datagram. unix(7)

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  bindUnix,
  close,
  DefaultSelector,
  EVENT_READ,
  SocketAddress,
  sendTo,
} from "../../../src/index.ts";
import { encodeEvent, howMany, type Way } from "../way.ts";
import { watchDatagrams } from "./datagrams.ts";

const folderOf = (folder: string, event: number) => join(folder, `event-${event}`);

export const unixDatagram: Way = {
  name: "unix:datagram",
  known: "how many received it",
  bytesReach: "all",
  wakesOthers: false,
  holds: "as many as the file system has inodes: millions; a socket for each listener of each",

  prepare(folder, events) {
    for (let event = 0; event < events; event++) mkdirSync(folderOf(folder, event));
    return { folder };
  },

  listen({ folder }, events, onEvent) {
    const selector = new DefaultSelector();
    for (const event of events) {
      const path = join(folderOf(folder, event), `${process.pid}`);
      selector.register(bindUnix({ path }), EVENT_READ);
    }
    void watchDatagrams(selector, onEvent);
  },

  open({ folder }) {
    const own = join(folder, "sender");
    const socket = bindUnix({ path: own });
    return {
      emit: (event, sequence) => emit(socket, folderOf(folder, event), [event, sequence]),
      close() {
        close(socket);
        rmSync(own);
      },
    };
  },

  hold(folder, events) {
    return howMany(events, (event) => mkdirSync(folderOf(folder, event)));
  },
};

/** Who listens is looked up each time: listeners come and go. */
function emit(socket: number, folder: string, [event, sequence]: [number, number]): number {
  const bytes = encodeEvent(event, sequence);
  let taken = 0;
  for (const name of readdirSync(folder)) {
    // Below 0: its queue is full, or it has gone and left its file.
    if (sendTo(socket, bytes, SocketAddress.unix(join(folder, name))) > 0) taken++;
  }
  return taken;
}
