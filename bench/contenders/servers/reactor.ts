// ts:select, ts:poll and ts:reactor-epoll: the Reactor over a Selector of that backend. They differ
// in nothing else.
// Enters: a Selector. Leaves: the shared EchoHandler's recv and send.

import {
  accept,
  close,
  EAGAIN,
  EVENT_READ,
  EVENT_WRITE,
  type EventHandler,
  listenTcp,
  localPort,
  Reactor,
  type Selector,
} from "../../../src/index.ts";
import { ACCEPTS_PER_WAKE, BACKLOG } from "../settings.ts";
import {
  type Connection,
  EchoHandler,
  NEXT_CLOSE,
  NEXT_READ,
  NEXT_WRITE,
  type Next,
} from "./connection.ts";
import type { Counters } from "./counters.ts";
import type { Server } from "./server.ts";

export function startReactorServer(selector: Selector, counters: Counters): Server {
  const reactor = new Reactor(selector);
  const listener = listenTcp({ backlog: BACKLOG });
  const echo = new EchoHandler(counters);
  const acceptor = new Acceptor(reactor, echo, counters);
  reactor.registerHandler(listener, EVENT_READ, acceptor);
  const done = reactor.run().finally(() => {
    reactor.removeHandler(listener);
    close(listener);
    acceptor.closeAll();
    selector.close();
    counters.waitCalls = reactor.turns;
    counters.eventsReturned = reactor.events;
  });
  return { port: localPort(listener), stop: () => reactor.stop(), done };
}

class Acceptor implements EventHandler {
  readonly #reactor: Reactor;
  readonly #echo: EchoHandler;
  readonly #counters: Counters;
  readonly #open = new Set<EchoConnection>();
  #pausedListener: number | null = null;

  constructor(reactor: Reactor, echo: EchoHandler, counters: Counters) {
    this.#reactor = reactor;
    this.#echo = echo;
    this.#counters = counters;
  }

  onReadable(listener: number): void {
    for (let i = 0; i < ACCEPTS_PER_WAKE; i++) {
      this.#counters.acceptCalls++;
      const fd = accept(listener);
      if (fd < 0) {
        if (fd !== -EAGAIN) this.#pause(listener);
        return;
      }
      this.#add(fd);
    }
  }

  closeAll(): void {
    for (const connection of this.#open) this.#reactor.removeHandler(connection.fd);
  }

  #add(fd: number): void {
    this.#counters.countAccepted();
    const connection = new EchoConnection(fd, this.#reactor, this.#echo, () =>
      this.#remove(connection),
    );
    this.#open.add(connection);
    this.#reactor.registerHandler(fd, EVENT_READ, connection);
  }

  #remove(connection: EchoConnection): void {
    this.#open.delete(connection);
    close(connection.fd);
    this.#counters.connectionsClosed++;
    if (this.#pausedListener === null) return;
    this.#reactor.resume(this.#pausedListener);
    this.#pausedListener = null;
  }

  /** EMFILE and its kin: the listener stays readable and would spin until a connection closes. */
  #pause(listener: number): void {
    this.#reactor.suspend(listener);
    this.#pausedListener = listener;
  }
}

class EchoConnection implements EventHandler, Connection {
  readonly fd: number;
  unsent: Uint8Array | null = null;
  readonly #reactor: Reactor;
  readonly #echo: EchoHandler;
  readonly #closed: () => void;

  constructor(fd: number, reactor: Reactor, echo: EchoHandler, closed: () => void) {
    this.fd = fd;
    this.#reactor = reactor;
    this.#echo = echo;
    this.#closed = closed;
  }

  onReadable(): void {
    const next = this.#echo.onReadable(this);
    if (next !== NEXT_READ) this.#change(next);
  }

  onWritable(): void {
    const next = this.#echo.onWritable(this);
    if (next !== NEXT_WRITE) this.#change(next);
  }

  onClose(): void {
    this.#closed();
  }

  #change(next: Next): void {
    if (next === NEXT_CLOSE) this.#reactor.removeHandler(this.fd);
    else this.#reactor.modify(this.fd, next === NEXT_WRITE ? EVENT_WRITE : EVENT_READ);
  }
}
