// ts:busy-poll: receives from every connection in turn, without end, on a whole core.

import { accept, close, listenTcp, localPort } from "../../../src/index.ts";
import { ACCEPTS_PER_WAKE, BACKLOG } from "../settings.ts";
import { EchoHandler, NEXT_CLOSE } from "./connection.ts";
import type { CallCounters } from "./counters.ts";
import type { Server, ServerRequest } from "./server.ts";

/** Node's signals and timers get the thread this often. */
const LONGEST_WITHOUT_TURN_MS = 10;

export function startBusyPollServer({ counters, blocking }: ServerRequest): Server {
  const listener = listenTcp({ backlog: BACKLOG });
  let stopped = false;
  const serve = async () => {
    const loop = new BusyPoll(listener, counters, new EchoHandler(counters, blocking));
    while (!stopped) {
      const until = performance.now() + LONGEST_WITHOUT_TURN_MS;
      while (performance.now() < until) loop.pass();
      await new Promise((resolve) => setImmediate(resolve));
    }
    loop.closeAll();
    close(listener);
  };
  const stop = () => {
    stopped = true;
  };
  return { port: localPort(listener), stop, done: serve() };
}

class BusyPoll {
  readonly #listener: number;
  readonly #counters: CallCounters;
  readonly #echo: EchoHandler;
  /** Their descriptors. */
  readonly #connections: number[] = [];

  constructor(listener: number, counters: CallCounters, echo: EchoHandler) {
    this.#listener = listener;
    this.#counters = counters;
    this.#echo = echo;
  }

  pass(): void {
    this.#acceptAll();
    const connections = this.#connections;
    for (let i = connections.length - 1; i >= 0; i--) {
      const fd = connections[i] as number;
      const next = this.#echo.isBlocked(fd) ? this.#echo.onWritable(fd) : this.#echo.onReadable(fd);
      if (next === NEXT_CLOSE) this.#close(i);
    }
  }

  closeAll(): void {
    while (this.#connections.length > 0) this.#close(this.#connections.length - 1);
  }

  #acceptAll(): void {
    for (let i = 0; i < ACCEPTS_PER_WAKE; i++) {
      this.#counters.acceptCalls++;
      const fd = accept(this.#listener);
      if (fd < 0) return; // none, or no descriptor for it: asked again in the next pass
      this.#counters.countAccepted();
      this.#connections.push(fd);
    }
  }

  /** The last one takes its place: it has been asked in this pass already. */
  #close(index: number): void {
    const connections = this.#connections;
    const fd = connections[index] as number;
    connections[index] = connections[connections.length - 1] as number;
    connections.pop();
    this.#echo.forget(fd);
    close(fd);
    this.#counters.connectionsClosed++;
  }
}
