// The hunt for differences between connections and their model: random writes, pauses, ends,
// resets, destroys and hand-overs on real sockets. At a sequence's end every byte is accounted for.

import { setImmediate } from "node:timers/promises";
import {
  deriveSeed,
  integerBelow,
  type Random,
  seededRandom,
} from "../../bench/statistics/random.ts";
import {
  adopt,
  type Connection,
  type ConnectionOptions,
  close,
  connectTcp,
  localPort,
  type Server,
  serve,
  setNonBlocking,
  socketPair,
} from "../../src/index.ts";
import { ConnectionPair, LONGEST_WRITE, THROWN } from "./connection-pair.ts";
import { Difference } from "./hunt.ts";

export type ConnectionWay = readonly [
  name: string,
  way: Pick<ConnectionOptions, "engine" | "backend">,
];

const SEQUENCE = 500;
const MOST_PAIRS = 12;
const LOG_LINES = 60;
/** Turns of the loop within which everything has closed: a minute on a slow machine. */
const SETTLING_MS = 60_000;

/** How often each comes, of their sum. */
const WEIGHTS = {
  turn: 30,
  write: 18,
  peerSend: 18,
  peerReceive: 18,
  open: 6,
  pause: 4,
  resume: 5,
  end: 2,
  destroy: 1,
  handOver: 2,
  peerEnd: 2,
  peerClose: 1,
  peerReset: 1,
} as const;

type OperationName = keyof typeof WEIGHTS;
const names = Object.keys(WEIGHTS) as OperationName[];
const table = names.flatMap((name) => Array<OperationName>(WEIGHTS[name]).fill(name));

export interface ConnectionFigures {
  operations: number;
  connections: number;
  bytes: number;
}

/**
 * Plays sequence after sequence until there were as many operations on that engine.
 * @returns after each sequence the figures so far.
 * @throws {Error} where a connection did something else than the model, with the last operations
 *   and the command that does them again.
 */
export async function* huntConnections(
  [name, way]: ConnectionWay,
  seed: number,
  operations: number,
): AsyncGenerator<ConnectionFigures> {
  const figures: ConnectionFigures = { operations: 0, connections: 0, bytes: 0 };
  for (let i = 0; figures.operations < operations; i++) {
    const length = Math.min(SEQUENCE, operations - figures.operations);
    const sequence = new Sequence(way, seededRandom(deriveSeed(seed, `connections ${i}`)));
    try {
      await sequence.play(length);
    } catch (error) {
      const log = sequence.log.slice(-LOG_LINES).join("\n  ");
      const operations = figures.operations + length;
      const engine = name.replaceAll(" ", "-");
      const options = `--seed ${seed} --operations 0 --calls 0 --connections ${operations}`;
      throw new Difference(`${name}: ${(error as Error).stack}
the last operations:\n  ${log}
again: npm run test:fuzz -- ${options} --engine ${engine}`);
    } finally {
      await sequence.end();
    }
    figures.operations += length;
    figures.connections += sequence.opened;
    figures.bytes += sequence.bytes;
    yield { ...figures };
  }
}

class Sequence {
  readonly log: string[] = [];
  opened = 0;
  bytes = 0;
  readonly #random: Random;
  readonly #pairs: ConnectionPair[] = [];
  /** Those that wait to be accepted, by the port of their peer. */
  readonly #expected = new Map<number, ConnectionPair>();
  readonly #options: readonly ConnectionOptions[];
  readonly #servers: readonly Server[];
  #failure: Error | null = null;

  constructor(way: ConnectionWay[1], random: Random) {
    this.#random = random;
    this.#options = [
      { ...way },
      { ...way, allowHalfOpen: true, highWaterMark: 5000, lowWaterMark: 100 },
    ];
    this.#servers = this.#options.map((options) =>
      serve(options, { open: (connection) => this.#accepted(connection) }),
    );
  }

  async play(length: number): Promise<void> {
    for (let i = 0; i < length; i++) {
      await this.#step(table[this.#below(table.length)] as OperationName);
      if (this.#failure !== null) throw this.#failure;
    }
    await this.#settle();
  }

  async end(): Promise<void> {
    for (const pair of this.#pairs) {
      pair.connection?.destroy();
      if (pair.peer >= 0) close(pair.peer);
    }
    await Promise.all(this.#servers.map((server) => server.close({ connections: "destroy" })));
  }

  async #step(name: OperationName): Promise<void> {
    if (name === "turn") {
      this.log.push("turn");
      await setImmediate();
      return;
    }
    if (name === "open") {
      this.#open();
      return;
    }
    const live = this.#pairs.filter((pair) => pair.closes === 0 || pair.peer >= 0);
    if (live.length === 0) return;
    const pair = live[this.#below(live.length)] as ConnectionPair;
    this.log.push(`${name} ${pair.name}`);
    const result = this.#do(name, pair);
    if (result !== undefined) this.log[this.log.length - 1] += `: ${result}`;
  }

  #do(name: Exclude<OperationName, "turn" | "open">, pair: ConnectionPair): string | undefined {
    switch (name) {
      case "write":
        return pair.write(this.#length());
      case "peerSend":
        return pair.peerSend(this.#length());
      case "peerReceive":
        return pair.peerReceive(this.#length()) ? "some" : "none";
      case "handOver":
        return pair.handOver();
      case "pause":
      case "resume":
        return void pair.pause(name === "pause");
      case "end":
        return void pair.end();
      case "destroy":
        return void pair.destroy();
      case "peerEnd":
        return void pair.peerEnd();
      case "peerClose":
      case "peerReset":
        return void pair.peerClose(name === "peerReset");
    }
  }

  #open(): void {
    const which = this.#below(2);
    const options = this.#options[which] ?? {};
    if (this.#pairs.filter(({ closes }) => closes === 0).length >= MOST_PAIRS) return;
    const callbacks = {
      inHandler: (pair: ConnectionPair) => this.#inHandler(pair),
      failed: (error: Error) => {
        this.#failure ??= error;
      },
    };
    const index = this.opened++;
    if (this.#below(2) === 0) {
      const [mine, peer] = socketPair();
      setNonBlocking(peer);
      const pair = new ConnectionPair(index, peer, options, callbacks);
      this.#pairs.push(pair);
      pair.open(adopt(mine, pair.handlers, options));
    } else {
      const peer = connectTcp({ port: this.#servers[which]?.address?.port ?? 0 });
      const pair = new ConnectionPair(index, peer, options, callbacks);
      this.#pairs.push(pair);
      this.#expected.set(localPort(peer), pair);
    }
    this.log.push(`open #${index}`);
  }

  #accepted(connection: Connection): void {
    const port = connection.remoteAddress?.port ?? 0;
    const pair = this.#expected.get(port);
    this.#expected.delete(port);
    if (pair === undefined) {
      connection.destroy(); // its peer has reset before, and has no address any more
      return;
    }
    pair.open(connection);
    connection.setHandlers(pair.handlers);
    connection.resume();
  }

  /** What programs do inside their data handlers. */
  #inHandler(pair: ConnectionPair): void {
    const choice = this.#below(100);
    if (choice < 30) pair.write(this.#length());
    else if (choice < 35) pair.pause(true);
    else if (choice < 37) pair.end();
    else if (choice < 38) pair.destroy();
    else if (choice < 39) throw THROWN;
  }

  /** Both sides end, and whatever was under way arrives, unless something broke. */
  async #settle(): Promise<void> {
    const deadlineMs = performance.now() + SETTLING_MS;
    for (const pair of this.#expected.values()) pair.broken = true; // perhaps never accepted
    for (;;) {
      for (const pair of this.#pairs) {
        if (pair.paused) pair.pause(false);
        pair.peerEnd();
        while (pair.peerReceive(LONGEST_WRITE));
        if (!pair.toPeer.ended) pair.end();
        if (pair.broken) pair.destroy();
      }
      await setImmediate();
      if (this.#failure !== null) throw this.#failure;
      const open = this.#pairs.filter(({ connection, closes }) => connection && closes === 0);
      if (open.length === 0) break;
      if (performance.now() > deadlineMs) {
        throw new Error(`${open.map(({ name }) => name)} did not close within a minute`);
      }
    }
    for (const pair of this.#pairs) {
      while (pair.peerReceive(LONGEST_WRITE));
      this.#account(pair);
    }
  }

  #account(pair: ConnectionPair): void {
    this.bytes += pair.toPeer.received + pair.fromPeer.received;
    if (pair.broken || pair.destroyed) return;
    for (const flow of [pair.toPeer, pair.fromPeer]) {
      if (flow.received === flow.sent) continue;
      throw new Error(`${pair.name}: ${flow.received} bytes of ${flow.sent} arrived`);
    }
    if (pair.ends !== 1) throw new Error(`${pair.name}: end was called ${pair.ends} times`);
  }

  /** Mostly short, now and then longer than any buffer. */
  #length(): number {
    const choice = this.#below(20);
    if (choice === 0) return 1 + this.#below(LONGEST_WRITE);
    return 1 + this.#below(choice < 10 ? 20 : 5000);
  }

  #below(bound: number): number {
    return integerBelow(this.#random, bound);
  }
}
