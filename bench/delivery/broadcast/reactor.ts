// ts:reactor-epoll: one loop; a queue per member, watched for writing while it holds something.

import * as io from "../../../src/index.ts";
import { type BroadcastServer, listenForMembers } from "./room.ts";

const buffer = new Uint8Array(16 * 1024);

export const reactorRoom: BroadcastServer = {
  name: "ts:reactor-epoll",
  start() {
    const reactor = new io.Reactor(new io.EpollSelector());
    const members = new Map<number, Member>();
    return listenForMembers(reactor, (fd) => {
      const member = new Member(fd, reactor, members);
      members.set(fd, member);
      reactor.registerHandler(fd, io.EVENT_READ, member);
    });
  },
};

class Member implements io.EventHandler {
  readonly #fd: number;
  readonly #reactor: io.Reactor;
  readonly #members: Map<number, Member>;
  #unsent = new Uint8Array(0);

  constructor(fd: number, reactor: io.Reactor, members: Map<number, Member>) {
    this.#fd = fd;
    this.#reactor = reactor;
    this.#members = members;
  }

  onReadable(fd: number): void {
    const n = io.recv(fd, buffer);
    if (n === -io.EAGAIN) return;
    if (n <= 0) this.#reactor.removeHandler(fd);
    else for (const member of this.#members.values()) member.#tell(buffer.subarray(0, n));
  }

  onWritable(): void {
    const unsent = this.#unsent;
    this.#unsent = new Uint8Array(0);
    this.#tell(unsent);
    if (this.#unsent.length === 0) this.#reactor.modify(this.#fd, io.EVENT_READ);
  }

  onClose(fd: number): void {
    this.#members.delete(fd);
    io.close(fd);
  }

  #tell(bytes: Uint8Array): void {
    const waiting = this.#unsent.length;
    const n = waiting > 0 ? 0 : Math.max(io.send(this.#fd, bytes), 0);
    if (n === bytes.length) return;
    const rest = new Uint8Array(waiting + bytes.length - n);
    rest.set(this.#unsent);
    rest.set(bytes.subarray(n), waiting);
    this.#unsent = rest;
    if (waiting === 0) this.#reactor.modify(this.#fd, io.EVENT_READ | io.EVENT_WRITE);
  }
}
