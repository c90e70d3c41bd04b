// ts:select, ts:poll and the ts:reactor-… contenders: the Reactor over a Selector of that backend.
// They differ in nothing else.

import {
  accept,
  close,
  EAGAIN,
  EVENT_READ,
  EVENT_WRITE,
  type EventHandler,
  listenTcp,
  localPort,
  type NativeSelector,
  Reactor,
} from "../../../src/index.ts";
import { ACCEPTS_PER_WAKE, BACKLOG } from "../settings.ts";
import { EchoHandler, NEXT_CLOSE, NEXT_READ, NEXT_WRITE, type Next } from "./connection.ts";
import type { CallCounters } from "./counters.ts";
import type { Server, ServerRequest } from "./server.ts";

/** A listener without a descriptor for its next connection is looked at again after this long. */
const ACCEPT_AGAIN_MS = 100;

export function startReactorServer(selector: NativeSelector, request: ServerRequest): Server {
  const { counters, port, reusePort } = request;
  const reactor = new Reactor(selector);
  const listener = listenTcp({ backlog: BACKLOG, port, reusePort });
  const connections = new Connections(reactor, counters);
  const acceptor = new Acceptor(reactor, connections, counters);
  reactor.registerHandler(listener, EVENT_READ, acceptor);
  const done = reactor.run().finally(() => {
    reactor.removeHandler(listener);
    close(listener);
    connections.closeAll();
    selector.close();
    counters.waitCalls = reactor.turns;
    counters.eventsReturned = reactor.events;
  });
  return { port: localPort(listener), stop: () => reactor.stop(), done };
}

/** Takes connections; on EMFILE and its kin it rests, since the listener stays readable. */
class Acceptor implements EventHandler {
  readonly #reactor: Reactor;
  readonly #connections: Connections;
  readonly #counters: CallCounters;

  constructor(reactor: Reactor, connections: Connections, counters: CallCounters) {
    this.#reactor = reactor;
    this.#connections = connections;
    this.#counters = counters;
  }

  onReadable(listener: number): void {
    for (let i = 0; i < ACCEPTS_PER_WAKE; i++) {
      this.#counters.acceptCalls++;
      const fd = accept(listener);
      if (fd < 0) {
        if (fd !== -EAGAIN) this.#rest(listener);
        return;
      }
      this.#connections.add(fd);
    }
  }

  /** Others of this machine give descriptors back as well, so it is not only our own closes. */
  #rest(listener: number): void {
    this.#reactor.suspend(listener);
    this.#reactor.setTimer(ACCEPT_AGAIN_MS, () => this.#reactor.resume(listener));
  }
}

/** The handler of all connections: it needs no state of its own for any of them. */
class Connections implements EventHandler {
  readonly #reactor: Reactor;
  readonly #counters: CallCounters;
  readonly #echo: EchoHandler;
  readonly #open = new Set<number>();

  constructor(reactor: Reactor, counters: CallCounters) {
    this.#reactor = reactor;
    this.#counters = counters;
    this.#echo = new EchoHandler(counters);
  }

  add(fd: number): void {
    this.#counters.countAccepted();
    this.#open.add(fd);
    this.#reactor.registerHandler(fd, EVENT_READ, this);
  }

  closeAll(): void {
    for (const fd of this.#open) this.#reactor.removeHandler(fd);
  }

  onReadable(fd: number): void {
    const next = this.#echo.onReadable(fd);
    if (next !== NEXT_READ) this.#change(fd, next);
  }

  onWritable(fd: number): void {
    const next = this.#echo.onWritable(fd);
    if (next !== NEXT_WRITE) this.#change(fd, next);
  }

  onClose(fd: number): void {
    this.#open.delete(fd);
    this.#echo.forget(fd);
    close(fd);
    this.#counters.connectionsClosed++;
  }

  #change(fd: number, next: Next): void {
    if (next === NEXT_CLOSE) this.#reactor.removeHandler(fd);
    else this.#reactor.modify(fd, next === NEXT_WRITE ? EVENT_WRITE : EVENT_READ);
  }
}
