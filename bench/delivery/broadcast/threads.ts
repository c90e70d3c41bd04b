// ts:thread-per-connection: each member has a thread that waits for a message of its member and
// sends it to all members itself. A member that does not read blocks the threads that send to it.

import { isMainThread, Worker, workerData } from "node:worker_threads";
import * as io from "../../../src/index.ts";
import { type BroadcastServer, listenForMembers } from "./room.ts";

/** Each thread is a JavaScript engine of its own, of some megabytes; the catalogue says so. */
const MOST_MEMBERS = 64;

export const threadRoom: BroadcastServer = {
  name: "ts:thread-per-connection",
  start() {
    // How many, then their descriptors, which all threads of a process share.
    const table = new Int32Array(new SharedArrayBuffer(4 * (MOST_MEMBERS + 1)));
    return listenForMembers(new io.Reactor(new io.DefaultSelector()), (fd) => {
      const place = (table[0] ?? 0) + 1;
      table[place] = fd;
      new Worker(new URL(import.meta.url), { workerData: { table, fd } });
      Atomics.add(table, 0, 1);
    });
  },
};

if (!isMainThread) serve(workerData);

function serve({ table, fd }: { readonly table: Int32Array; readonly fd: number }): void {
  const selector = new io.PollSelector();
  const buffer = new Uint8Array(16 * 1024);
  selector.register(fd, io.EVENT_READ);
  for (;;) {
    if (selector.select().length === 0) continue;
    const n = io.recv(fd, buffer);
    if (n === -io.EAGAIN) continue;
    if (n <= 0) return;
    const members = Atomics.load(table, 0);
    for (let i = 1; i <= members; i++) sendAll(table[i] ?? -1, buffer.subarray(0, n));
  }
}

function sendAll(fd: number, bytes: Uint8Array): void {
  let sent = 0;
  while (sent < bytes.length) {
    const n = io.send(fd, bytes, sent);
    if (n > 0) sent += n;
    else if (n !== -io.EAGAIN)
      return; // it has gone
    else {
      using writable = new io.PollSelector();
      writable.register(fd, io.EVENT_WRITE);
      writable.select();
    }
  }
}
