// Engine: the rings that TypeScript shares with a native engine, and the dispatch of its reports.
// There is one per thread and kind; every server and connection of the thread shares it.

import { constants } from "node:os";
import type { Acceptor, ListenSettings } from "./acceptor.ts";
import { destroyEngineWhenCollected } from "./collected.ts";
import {
  deliver,
  onClosed,
  onEnd,
  onIdle,
  onQueued,
  opened,
  roleOf,
} from "./connection-symbols.ts";
import type { EngineConnection } from "./engine-connection.ts";
import { HostedPump, type Pump, ReactorPump } from "./engine-pump.ts";
import { connectionError, invalidType } from "./errors.ts";
import { flushAtExit } from "./last-flush.ts";
import { ENGINE_ADOPT_STRIDE, type EngineCounters, native, systemError } from "./native.ts";
import { noteDirections } from "./one-way.ts";
import type { Reactor } from "./reactor.ts";
import {
  ACCEPTED,
  CLOSED,
  DATA,
  END,
  HEAD_COMPLETIONS,
  HEAD_FLUSHES,
  HEAD_LENGTH,
  HEAD_OUTBOUND,
  HEAD_SUBMISSIONS,
  HEAD_WISH,
  IDLE,
  KIND_BITS,
  KINDS,
  QUEUED,
  STRIDE,
  WRITE_INBOUND,
  WRITE_OUTBOUND,
} from "./rings.ts";
import type { BackendName } from "./selector.ts";
import { Slots } from "./slots.ts";
import type { Submitter } from "./submissions.ts";
import { unclosed } from "./withheld.ts";

const COMPLETIONS = 1024;
const SUBMISSIONS = 1024;
const OUTBOUND_BYTES = 256 * 1024;
/** A longer write goes to native code by itself. */
const LARGE_BYTES = 16 * 1024;
/** UTF-8 bytes that a UTF-16 code unit takes at most. */
const BYTES_PER_UNIT = 3;

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

export class Engine implements Submitter {
  /** The connection whose `data` handler runs. */
  delivering: object | null = null;
  readonly #id: number;
  readonly #head = new Int32Array(HEAD_LENGTH);
  readonly #completions = new Int32Array(COMPLETIONS * STRIDE);
  readonly #submissions = new Int32Array(SUBMISSIONS * STRIDE);
  readonly #outbound = new Uint8Array(OUTBOUND_BYTES);
  #inbound: ArrayBuffer;
  readonly #slots = new Slots();
  /** By life. */
  readonly #listeners = new Map<number, Acceptor>();
  /** By completion: a view is rebuilt only if it lies elsewhere than in the turn before. */
  readonly #views: Uint8Array[] = [];
  readonly #viewOffsets: number[] = [];
  #current: Uint8Array | null = null;
  #currentOffset = 0;
  #dispatched = 0;
  #count = 0;
  #refs = 0;
  #turning = false;
  /** What `flushes` was before the last flushes, if the program has forced them, and after them. */
  #forcedFrom = 0;
  #forcedTo = 0;
  readonly #pump: Pump;

  /**
   * @param backend of readiness; null: completions over io_uring.
   * @param reactor whose turns it shares; Node's own loop serves it unless given.
   */
  constructor(backend: BackendName | null, reactor?: Reactor) {
    this.#id = native.createEngine(
      backend ?? "",
      this.#head,
      this.#completions,
      this.#submissions,
      this.#outbound,
    );
    if (this.#id < 0) {
      throw systemError(this.#id, `cannot serve connections over ${backend ?? "io_uring"}`);
    }
    flushAtExit(this.#id);
    this.#inbound = native.engineInbound(this.#id);
    const turn = () => this.#turn();
    const pumped = { id: this.#id, head: this.#head, wishAt: HEAD_WISH, turn };
    // Those of Node's own loop stay for the thread's life.
    if (reactor) destroyEngineWhenCollected(this, this.#id);
    this.#pump = reactor ? new ReactorPump(pumped, reactor) : new HostedPump(pumped);
  }

  /**
   * Changes when what was written has left the rings, unless the program forced that: what became
   * of it is then not reported before the program returns.
   */
  get flushes(): number {
    const flushes = this.#head[HEAD_FLUSHES] as number;
    return flushes === this.#forcedTo ? this.#forcedFrom : flushes;
  }

  /** @throws {Error} in Node's form; the caller then closes the descriptor. */
  listen(fd: number, settings: ListenSettings, acceptor: Acceptor): void {
    const { room, paused, idleMs } = settings;
    this.#pump.start();
    const answer = native.engineListen(this.#id, fd, room, paused, idleMs);
    if (answer < 0) throw this.#refused(answer, `cannot listen on fd ${fd}`);
    this.#slots.begin(fd, answer);
    this.#listeners.set(answer, acceptor);
  }

  /**
   * Takes a descriptor over.
   * @param connection made for that slot.
   * @throws {Error} in Node's form; the caller then closes the descriptor.
   */
  adopt(
    fd: number,
    connection: EngineConnection,
    settings: { paused: boolean; idleMs: number },
  ): void {
    this.#pump.start();
    const answer = native.engineAdopt(this.#id, fd, settings.paused, settings.idleMs);
    if (answer < 0) throw this.#refused(answer, `cannot adopt fd ${fd}`);
    noteDirections(connection, answer);
    this.#slots.begin(fd, Math.floor(answer / ENGINE_ADOPT_STRIDE), connection);
  }

  /**
   * Gives a descriptor back.
   * @returns what of it has been received and not been dispatched.
   * @throws {Error} ERR_CONNECTION_BUSY while bytes are queued; ERR_CONNECTION_CLOSED if its end is
   *   on the way to the program.
   */
  detach(slot: number): Uint8Array[] {
    this.flush();
    const answer = native.engineDetach(this.#id, slot);
    if (answer === -constants.errno.EBADF) {
      throw connectionError("ERR_CONNECTION_CLOSED", "the peer has closed the connection");
    }
    if (answer === -constants.errno.EBUSY) {
      throw connectionError(
        "ERR_CONNECTION_BUSY",
        `cannot detach fd ${slot}: written bytes are not sent; wait until bufferedBytes is 0`,
      );
    }
    if (typeof answer === "number") throw systemError(answer, `cannot detach fd ${slot}`);
    const unread: Uint8Array[] = [];
    const life = this.#slots.lifeOf(slot);
    const data = (life << KIND_BITS) | DATA;
    for (let at = (this.#dispatched + 1) * STRIDE; at < this.#count * STRIDE; at += STRIDE) {
      if (this.#completions[at] !== slot || this.#completions[at + 1] !== data) continue;
      const offset = this.#completions[at + 2] as number;
      unread.push(new Uint8Array(this.#inbound, offset, this.#completions[at + 3]).slice());
    }
    this.#slots.end(slot, life);
    this.#ended();
    if (answer.length > 0) unread.push(answer);
    return unread;
  }

  /** Whether the connection that the program knows by that slot still has the descriptor. */
  serves(slot: number): boolean {
    return native.engineServes(this.#id, slot, this.#slots.lifeOf(slot)) === 1;
  }

  /** Destroys every connection of that server, which its role's `closed` names. */
  destroyAll(owner: () => void): void {
    for (const connection of this.#slots.connections()) {
      if (connection[roleOf].closed === owner) connection.destroy();
    }
    for (const [connection, itsOwner] of unclosed) if (itsOwner === owner) connection.destroy();
  }

  submit(slot: number, kind: number, offset = 0, length = 0): void {
    const head = this.#head;
    let count = head[HEAD_SUBMISSIONS] as number;
    if (count === SUBMISSIONS) {
      this.flush();
      count = 0;
    }
    if (count === 0 && !this.#turning) this.#pump.submitted();
    const at = count * STRIDE;
    const submissions = this.#submissions;
    submissions[at] = slot;
    submissions[at + 1] = (this.#slots.lifeOf(slot) << KIND_BITS) | kind;
    submissions[at + 2] = offset;
    submissions[at + 3] = length;
    head[HEAD_SUBMISSIONS] = count + 1;
  }

  /**
   * Submits bytes, which may change as soon as this returns.
   * @returns how many there are; -1 - n: they were sent or queued at once, and n are queued now.
   */
  write(slot: number, bytes: Uint8Array | string): number {
    // What has just been received lies where native code finds it.
    if (bytes === this.#current) {
      const length = (bytes as Uint8Array).length;
      this.submit(slot, WRITE_INBOUND, this.#currentOffset, length);
      return length;
    }
    if (typeof bytes === "string") return this.#writeText(slot, bytes);
    if (!(bytes instanceof Uint8Array)) {
      throw invalidType(`a Uint8Array or a string is needed to write; got ${typeof bytes}`);
    }
    const length = bytes.length;
    if (length > LARGE_BYTES) return this.#writeLarge(slot, bytes);
    if (length === 0) return 0;
    const offset = this.#reserve(length);
    this.#outbound.set(bytes, offset);
    return this.#submitOutbound(slot, offset, length);
  }

  /** Bytes of a slot that are queued; null while the rings hold what was submitted. */
  queued(slot: number): number | null {
    if (this.#head[HEAD_SUBMISSIONS] !== 0) return null;
    return native.engineWrite(this.#id, slot, this.#slots.lifeOf(slot), NOTHING);
  }

  /** Takes the submissions now, and not when the program returns. */
  flush(): void {
    const before = this.flushes;
    native.engineFlush(this.#id);
    this.#forced(before);
  }

  /** Its calls, events and bytes since it was made. */
  counters(): EngineCounters {
    return native.engineCounters(this.#id);
  }

  /** Calls a task soon, outside the handlers that run now. */
  readonly later = (task: () => void): void => this.#pump.later(task);
  /** Makes what a handler threw an 'uncaughtException'. */
  readonly raise = (thrown: unknown): void => this.#pump.raise(thrown);

  /** One thing more that keeps the process alive. */
  ref(): void {
    if (this.#refs++ === 0) native.engineRef(this.#id, 1);
  }
  unref(): void {
    if (--this.#refs === 0) native.engineRef(this.#id, 0);
  }

  #writeText(slot: number, text: string): number {
    let most = text.length * BYTES_PER_UNIT;
    if (most > LARGE_BYTES) most = Buffer.byteLength(text); // slower than a product
    if (most > LARGE_BYTES) return this.#writeLarge(slot, encoder.encode(text));
    if (most === 0) return 0;
    const offset = this.#reserve(most);
    const { written } = encoder.encodeInto(text, this.#outbound.subarray(offset, offset + most));
    return this.#submitOutbound(slot, offset, written);
  }

  #writeLarge(slot: number, bytes: Uint8Array): number {
    const before = this.flushes;
    const queued = native.engineWrite(this.#id, slot, this.#slots.lifeOf(slot), bytes);
    this.#forced(before);
    return -1 - queued;
  }

  #forced(before: number): void {
    this.#forcedFrom = before;
    this.#forcedTo = this.#head[HEAD_FLUSHES] as number;
  }

  /** @returns where in `outbound` there is room for so many bytes. */
  #reserve(length: number): number {
    const offset = this.#head[HEAD_OUTBOUND] as number;
    if (offset + length <= OUTBOUND_BYTES) return offset;
    this.flush();
    return 0;
  }

  #submitOutbound(slot: number, offset: number, length: number): number {
    this.submit(slot, WRITE_OUTBOUND, offset, length);
    this.#head[HEAD_OUTBOUND] = offset + length;
    return length;
  }

  /** The error for it; nothing is left running for what was refused. */
  #refused(answer: number, what: string): Error {
    const error = systemError(answer, what);
    this.#ended();
    return error;
  }

  #ended(): void {
    if (this.#slots.count === 0) this.#pump.stop();
  }

  #turn(): void {
    const completions = this.#completions;
    const count = this.#head[HEAD_COMPLETIONS] as number;
    this.#count = count;
    this.#turning = true;
    // What became of all that was written before is reported in this turn.
    this.#forced(this.#head[HEAD_FLUSHES] as number);
    for (let i = 0; i < count; i++) {
      this.#dispatched = i;
      const at = i * STRIDE;
      const slot = completions[at] as number;
      const label = completions[at + 1] as number;
      if (label % KINDS === DATA) {
        const connection = this.#slots.find(slot, label >> KIND_BITS);
        if (connection === undefined) continue;
        const offset = completions[at + 2] as number;
        const bytes = this.#view(i, offset, completions[at + 3] as number);
        this.#current = bytes;
        this.#currentOffset = offset;
        this.delivering = connection;
        connection[deliver](bytes);
      } else {
        this.delivering = null;
        this.#dispatch(slot, label, at);
      }
    }
    this.#count = 0;
    this.#turning = false;
    this.#dispatched = 0;
    this.#current = null;
    this.delivering = null;
  }

  /** Everything that is no data. */
  #dispatch(slot: number, label: number, at: number): void {
    const life = label >> KIND_BITS;
    const offset = this.#completions[at + 2] as number;
    const length = this.#completions[at + 3] as number;
    const kind = label % KINDS;
    if (kind === ACCEPTED) this.#accept(slot, life, length);
    else if (kind === CLOSED) this.#close(slot, life, length, offset);
    else if (kind === END) this.#slots.find(slot, life)?.[onEnd]();
    else if (kind === IDLE) this.#slots.find(slot, life)?.[onIdle]();
    else if (kind === QUEUED) {
      this.#slots.find(slot, life)?.[onQueued](offset * 2 ** 32 + (length >>> 0));
    }
  }

  #accept(slot: number, life: number, listener: number): void {
    const acceptor = this.#listeners.get(listener);
    if (acceptor === undefined) return;
    const connection = acceptor.accepted(slot);
    this.#slots.begin(slot, life, connection);
    connection[opened]();
    if (acceptor.destroys()) connection.destroy();
  }

  #close(slot: number, life: number, errno: number, sending: number): void {
    const connection = this.#slots.end(slot, life);
    if (connection !== undefined) {
      this.#ended();
      connection[onClosed](errno, sending !== 0);
      return;
    }
    const acceptor = this.#listeners.get(life);
    if (acceptor === undefined) return;
    this.#listeners.delete(life);
    this.#slots.endListener(slot, life);
    this.#ended();
    acceptor.closed(errno);
  }

  #view(i: number, offset: number, length: number): Uint8Array {
    const view = this.#views[i];
    if (view !== undefined && view.length === length && this.#viewOffsets[i] === offset) {
      return view;
    }
    // Detached: Node 20 transfers it, and ArrayBuffer.prototype.transfer() always succeeds.
    // Marking it untransferable does not help: Node 24 then aborts when the thread ends, since it
    // can no longer detach external memory.
    if (this.#inbound.byteLength === 0) this.#inbound = native.engineInbound(this.#id);
    const made = new Uint8Array(this.#inbound, offset, length);
    this.#views[i] = made;
    this.#viewOffsets[i] = offset;
    return made;
  }
}
