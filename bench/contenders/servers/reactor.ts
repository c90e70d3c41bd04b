// ts:select, ts:poll and ts:reactor-…: the Reactor over a Selector of that backend.

import {
  accept,
  close,
  EAGAIN,
  EpollSelector,
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
  const { counters, port, reusePort, blocking } = request;
  const reactor = new Reactor(selector);
  const listener = listenTcp({ backlog: BACKLOG, port, reusePort });
  // Else each wait looks at every descriptor.
  const kernelSet = selector.capabilities.asyncWait === "nested";
  const waiting = { kernelSet, changesByCall: selector instanceof EpollSelector };
  const echo = new EchoHandler(counters, blocking);
  const connections = new Connections(reactor, counters, { waiting, echo });
  const acceptor = new Acceptor(reactor, connections, counters);
  reactor.registerHandler(listener, EVENT_READ, acceptor);
  const done = reactor.run().finally(() => {
    reactor.removeHandler(listener);
    close(listener);
    connections.closeAll();
    selector.close();
  });
  return {
    port: localPort(listener),
    stop: () => reactor.stop(),
    count: () => connections.countLooks(),
    done,
  };
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

/** How a selector waits. */
interface WaitingCost {
  /** The kernel keeps what is watched. */
  readonly kernelSet: boolean;
  /** Each change of it is a call: epoll_ctl(2). */
  readonly changesByCall: boolean;
}

interface Parts {
  readonly waiting: WaitingCost;
  readonly echo: EchoHandler;
}

/** The handler of all connections: it needs no state of its own for any of them. */
class Connections implements EventHandler {
  readonly #reactor: Reactor;
  readonly #counters: CallCounters;
  readonly #echo: EchoHandler;
  readonly #open = new Set<number>();
  readonly #waiting: WaitingCost;

  constructor(reactor: Reactor, counters: CallCounters, { waiting, echo }: Parts) {
    this.#reactor = reactor;
    this.#counters = counters;
    this.#waiting = waiting;
    this.#echo = echo;
  }

  /** Waits and events since the last time, with as many connections as are open now. */
  countLooks(): void {
    const { turns, events } = this.#reactor;
    const counters = this.#counters;
    if (!this.#waiting.kernelSet) {
      const looks = (turns - counters.waitCalls) * (this.#open.size + 1);
      counters.vainLooks += Math.max(0, looks - (events - counters.eventsReturned));
    }
    counters.waitCalls = turns;
    counters.eventsReturned = events;
  }

  add(fd: number): void {
    this.#countChange();
    this.#counters.countAccepted();
    this.#open.add(fd);
    this.#reactor.registerHandler(fd, EVENT_READ, this);
  }

  closeAll(): void {
    this.countLooks();
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
    this.#countChange();
    this.#open.delete(fd);
    this.#echo.forget(fd);
    close(fd);
    this.#counters.connectionsClosed++;
  }

  #change(fd: number, next: Next): void {
    if (next === NEXT_CLOSE) this.#reactor.removeHandler(fd);
    else {
      this.#countChange();
      this.#reactor.modify(fd, next === NEXT_WRITE ? EVENT_WRITE : EVENT_READ);
    }
  }

  #countChange(): void {
    this.countLooks();
    if (this.#waiting.changesByCall) this.#counters.controlCalls++;
  }
}
