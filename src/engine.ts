// Engine: the rings that TypeScript shares with a native engine, and the dispatch of what it
// reports. One per thread and kind; every server and connection of the thread shares it.

import {
  deliver,
  type EngineConnection,
  flagUnwritable,
  onClosed,
  onEnd,
  onIdle,
  onQueued,
  opened,
  ownerOf,
} from "./engine-connection.ts";
import { HostedPump, type Pump, ReactorPump } from "./engine-pump.ts";
import { invalidType } from "./errors.ts";
import { ENGINE_CAN_WRITE, type EngineCounters, native, systemError } from "./native.ts";
import type { Reactor } from "./reactor.ts";
import type { BackendName } from "./selector.ts";
import type { Submitter } from "./submissions.ts";

/** native/proactor/rings.h: four int32 per entry. */
const STRIDE = 4;
const COMPLETIONS = 1024;
const SUBMISSIONS = 1024;
const OUTBOUND_BYTES = 256 * 1024;
/** A longer write goes to native code by itself. */
const LARGE_BYTES = 16 * 1024;
/** UTF-8 bytes that a UTF-16 code unit takes at most. */
const BYTES_PER_UNIT = 3;

const HEAD_SUBMISSIONS = 0;
const HEAD_OUTBOUND = 1;
const HEAD_WISH = 2;
const HEAD_FLUSHES = 3;

const ACCEPTED = 1;
const DATA = 2;
const END = 3;
const QUEUED = 4;
const CLOSED = 5;
const IDLE = 6;

const WRITE_OUTBOUND = 1;
const WRITE_INBOUND = 2;

const GONE = -1;
const encoder = new TextEncoder();

/** What a listener's completions are for. */
export interface Acceptor {
  accepted(slot: number): EngineConnection;
  /** @param errno 0, or below it why accepting ended. */
  closed(errno: number): void;
}

export interface ListenSettings {
  /** Connections that may be accepted until SUBMIT_MORE_ACCEPTS; below 0 any number. */
  readonly room: number;
  readonly paused: boolean;
  readonly idleMs: number;
}

export class Engine implements Submitter {
  /** The connection whose `data` handler runs. */
  delivering: object | null = null;
  readonly #id: number;
  readonly #head = new Int32Array(STRIDE);
  readonly #completions = new Int32Array(COMPLETIONS * STRIDE);
  readonly #submissions = new Int32Array(SUBMISSIONS * STRIDE);
  readonly #outbound = new Uint8Array(OUTBOUND_BYTES);
  #inbound: ArrayBuffer;
  /** By slot and dense. */
  readonly #connections: (EngineConnection | undefined)[] = [];
  readonly #listeners = new Map<number, Acceptor>();
  /** Connections whose number another one has taken before their CLOSED was dispatched, by slot. */
  readonly #replaced = new Map<number, EngineConnection[]>();
  /** By completion: a view is made anew only if it lies elsewhere than in the turn before. */
  readonly #views: Uint8Array[] = [];
  readonly #viewOffsets: number[] = [];
  #current: Uint8Array | null = null;
  #currentOffset = 0;
  #dispatched = 0;
  #count = 0;
  #refs = 0;
  /** Slots in use. */
  #open = 0;
  #turning = false;
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
      throw systemError(this.#id, `no connections over ${backend ?? "io_uring"} on this machine`);
    }
    this.#inbound = this.#newInbound();
    const pumped = {
      id: this.#id,
      head: this.#head,
      wishAt: HEAD_WISH,
      turn: (count: number) => this.#turn(count),
    };
    this.#pump = reactor ? new ReactorPump(pumped, reactor) : new HostedPump(pumped);
  }

  /** How often submissions have been taken; changes when what was written has left the rings. */
  get flushes(): number {
    return this.#head[HEAD_FLUSHES] as number;
  }

  /** @throws {Error} in Node's form; the descriptor is the caller's then. */
  listen(fd: number, settings: ListenSettings, acceptor: Acceptor): void {
    const answer = native.engineListen(
      this.#id,
      fd,
      settings.room,
      settings.paused,
      settings.idleMs,
    );
    if (answer < 0) throw systemError(answer, `cannot listen on fd ${fd}`);
    this.#listeners.set(fd, acceptor);
    this.#opened();
  }

  /**
   * Takes a descriptor over.
   * @param connection made for that slot.
   * @throws {Error} in Node's form; the descriptor is the caller's then.
   */
  adopt(
    fd: number,
    connection: EngineConnection,
    settings: { paused: boolean; idleMs: number },
  ): void {
    const answer = native.engineAdopt(this.#id, fd, settings.paused, settings.idleMs);
    if (answer < 0) throw systemError(answer, `cannot adopt fd ${fd}`);
    if ((answer & ENGINE_CAN_WRITE) === 0) connection[flagUnwritable]();
    this.#put(fd, connection);
  }

  /**
   * Gives a descriptor back.
   * @returns what of it has been received and not been dispatched.
   * @throws {Error} in Node's form: EBUSY while bytes are queued, EBADF once it is closing.
   */
  detach(slot: number): Uint8Array[] {
    const answer = native.engineDetach(this.#id, slot);
    if (typeof answer === "number") throw systemError(answer, `cannot detach fd ${slot}`);
    const unread: Uint8Array[] = [];
    for (let at = (this.#dispatched + 1) * STRIDE; at < this.#count * STRIDE; at += STRIDE) {
      if (this.#completions[at] !== slot) continue;
      this.#completions[at] = GONE;
      if (this.#completions[at + 1] !== DATA) continue;
      const offset = this.#completions[at + 2] as number;
      unread.push(new Uint8Array(this.#inbound, offset, this.#completions[at + 3]).slice());
    }
    this.#connections[slot] = undefined;
    this.#over();
    if (answer.length > 0) unread.push(answer);
    return unread;
  }

  /** Destroys every connection of that server, which its role's `closed` names. */
  destroyAll(owner: () => void): void {
    for (const connection of this.#connections) {
      if (connection?.[ownerOf] === owner) connection.destroy();
    }
  }

  submit(slot: number, kind: number, offset = 0, length = 0): void {
    const head = this.#head;
    let count = head[HEAD_SUBMISSIONS] as number;
    if (count === SUBMISSIONS) {
      native.engineFlush(this.#id);
      count = 0;
    }
    if (count === 0 && !this.#turning) this.#pump.submitted();
    const at = count * STRIDE;
    const submissions = this.#submissions;
    submissions[at] = slot;
    submissions[at + 1] = kind;
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

  flush(): void {
    native.engineFlush(this.#id);
  }

  /** What it has called and moved since it was made. */
  counters(): EngineCounters {
    return native.engineCounters(this.#id);
  }

  /** One thing more that keeps the process alive. */
  ref(): void {
    if (this.#refs++ === 0) native.engineRef(this.#id, 1);
  }
  unref(): void {
    if (--this.#refs === 0) native.engineRef(this.#id, 0);
  }

  #writeText(slot: number, text: string): number {
    const most = text.length * BYTES_PER_UNIT;
    if (most > LARGE_BYTES) return this.#writeLarge(slot, encoder.encode(text));
    if (most === 0) return 0;
    const offset = this.#reserve(most);
    const { written } = encoder.encodeInto(text, this.#outbound.subarray(offset, offset + most));
    return this.#submitOutbound(slot, offset, written);
  }

  #writeLarge(slot: number, bytes: Uint8Array): number {
    return -1 - native.engineWrite(this.#id, slot, bytes);
  }

  /** @returns where in `outbound` there is room for so many bytes. */
  #reserve(length: number): number {
    const offset = this.#head[HEAD_OUTBOUND] as number;
    if (offset + length <= OUTBOUND_BYTES) return offset;
    native.engineFlush(this.#id);
    return 0;
  }

  #submitOutbound(slot: number, offset: number, length: number): number {
    this.submit(slot, WRITE_OUTBOUND, offset, length);
    this.#head[HEAD_OUTBOUND] = offset + length;
    return length;
  }

  #opened(): void {
    if (this.#open++ === 0) this.#pump.start();
  }

  #over(): void {
    if (--this.#open === 0) this.#pump.stop();
  }

  #turn(count: number): void {
    const completions = this.#completions;
    this.#count = count;
    this.#turning = true;
    for (let i = 0; i < count; i++) {
      this.#dispatched = i;
      const at = i * STRIDE;
      const slot = completions[at] as number;
      if (completions[at + 1] === DATA) {
        const connection = this.#connections[slot];
        if (connection === undefined) continue;
        const offset = completions[at + 2] as number;
        const bytes = this.#view(i, offset, completions[at + 3] as number);
        this.#current = bytes;
        this.#currentOffset = offset;
        this.delivering = connection;
        connection[deliver](bytes);
      } else if (slot !== GONE) {
        this.delivering = null;
        this.#dispatch(slot, at);
      }
    }
    this.#count = 0;
    this.#turning = false;
    this.#dispatched = 0;
    this.#current = null;
    this.delivering = null;
  }

  /** Everything that is no data. */
  #dispatch(slot: number, at: number): void {
    const offset = this.#completions[at + 2] as number;
    const length = this.#completions[at + 3] as number;
    switch (this.#completions[at + 1]) {
      case ACCEPTED: {
        const acceptor = this.#listeners.get(offset);
        if (acceptor === undefined) break;
        const connection = acceptor.accepted(slot);
        this.#put(slot, connection);
        connection[opened]();
        break;
      }
      case END:
        this.#connections[slot]?.[onEnd]();
        break;
      case QUEUED:
        this.#connections[slot]?.[onQueued](offset * 2 ** 32 + (length >>> 0));
        break;
      case IDLE:
        this.#connections[slot]?.[onIdle]();
        break;
      case CLOSED:
        this.#close(slot, length, offset);
        break;
    }
  }

  #close(slot: number, errno: number, sending: number): void {
    const acceptor = this.#listeners.get(slot);
    if (acceptor !== undefined) {
      this.#listeners.delete(slot);
      this.#over();
      acceptor.closed(errno);
      return;
    }
    this.#over();
    const replaced = this.#replaced.get(slot);
    if (replaced !== undefined) {
      const connection = replaced.shift();
      if (replaced.length === 0) this.#replaced.delete(slot);
      connection?.[onClosed](errno, sending !== 0);
      return;
    }
    const connection = this.#connections[slot];
    this.#connections[slot] = undefined;
    connection?.[onClosed](errno, sending !== 0);
  }

  #put(slot: number, connection: EngineConnection): void {
    // Filled up, because an array with holes turns into a dictionary.
    while (this.#connections.length <= slot) this.#connections.push(undefined);
    const before = this.#connections[slot];
    if (before !== undefined) {
      const replaced = this.#replaced.get(slot);
      if (replaced === undefined) this.#replaced.set(slot, [before]);
      else replaced.push(before);
    }
    this.#connections[slot] = connection;
    this.#opened();
  }

  #view(i: number, offset: number, length: number): Uint8Array {
    const view = this.#views[i];
    if (view !== undefined && view.length === length && this.#viewOffsets[i] === offset) {
      return view;
    }
    // Detached: Node 20 transfers it, and ArrayBuffer.prototype.transfer() asks nobody. Marking it
    // untransferable is no way out: Node 24 then aborts when the thread ends, since it cannot
    // detach external memory any more.
    if (this.#inbound.byteLength === 0) this.#inbound = this.#newInbound();
    const made = new Uint8Array(this.#inbound, offset, length);
    this.#views[i] = made;
    this.#viewOffsets[i] = offset;
    return made;
  }

  #newInbound(): ArrayBuffer {
    return native.engineInbound(this.#id);
  }
}
