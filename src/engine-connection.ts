// EngineConnection: a Connection as an engine serves it. There are many, so it keeps only the state
// that every connection needs; rare state lives in other objects.

import { assertBoolean, assertError, assertIdleMs } from "./arguments.ts";
import type { Connection, ConnectionHandlers, Detached } from "./connection.ts";
import {
  ABANDONED,
  CLOSED,
  DESTROYED,
  ENDED,
  HELD_BACK,
  NEEDS_DRAIN,
  OVER,
  PAUSED,
  PEER_ENDED,
  REPORTING,
  UNREFERENCED,
  UNWRITABLE,
  WITHHELD,
} from "./connection-flags.ts";
import { iterate } from "./connection-iterator.ts";
import {
  deliver,
  failureOf,
  flag,
  onClosed,
  onEnd,
  onIdle,
  onQueued,
  opened,
  releaseReader,
  roleOf,
  takeOver,
  unread,
  withholds,
} from "./connection-symbols.ts";
import { closedBeforeEnd, connectionError, connectionLost, refusedWrite } from "./errors.ts";
import { assertHandlers, handlerFailed } from "./handlers.ts";
import { noDelayOrThrow } from "./opening.ts";
import type { Role } from "./role.ts";
import { addressOrNull, localAddress, peerAddress, type SocketAddress } from "./socket-address.ts";
import {
  SUBMIT_DESTROY,
  SUBMIT_END,
  SUBMIT_IDLE_TIMEOUT,
  SUBMIT_PAUSE,
  SUBMIT_REPORT,
  SUBMIT_RESUME,
} from "./submissions.ts";
import {
  copyOf,
  forgetWithheld,
  isOnlyEnd,
  isPlenty,
  reasonOf,
  reasons,
  takeWithheld,
  unclosed,
  type Withheld,
  withheldOf,
} from "./withheld.ts";

export class EngineConnection<T = undefined> implements Connection<T> {
  data: T = undefined as T;
  #role: Role<T>;
  readonly #slot: number;
  #flags: number;
  /** What the engine has reported as queued. */
  #queued = 0;
  /** Written since the flush of that number, or since more than the mark was buffered. */
  #pending = 0;
  #pendingFlush = 0;

  constructor(role: Role<T>, slot: number) {
    this.#role = role;
    this.#slot = slot;
    this.#flags = role.handlers.data === undefined ? PAUSED : 0;
    role.engine.ref();
  }

  get bufferedBytes(): number {
    const { engine } = this.#role;
    if (!this.#holds(engine.flushes)) return this.#queued;
    const gone = (this.#flags & (OVER | ABANDONED)) !== 0;
    return (gone ? null : engine.queued(this.#slot)) ?? this.#queued + this.#pending;
  }

  get writable(): boolean {
    return (this.#flags & (OVER | ENDED | UNWRITABLE)) === 0;
  }
  get closed(): boolean {
    return (this.#flags & OVER) !== 0;
  }
  get paused(): boolean {
    return (this.#flags & PAUSED) !== 0;
  }

  get remoteAddress(): SocketAddress | null {
    return this.#isGone ? null : addressOrNull(peerAddress, this.#slot);
  }
  get localAddress(): SocketAddress | null {
    return this.#isGone ? null : addressOrNull(localAddress, this.#slot);
  }

  write(bytes: Uint8Array | string): boolean {
    if ((this.#flags & (OVER | ENDED | UNWRITABLE)) !== 0) {
      if (this.closed) return false;
      throw refusedWrite((this.#flags & UNWRITABLE) !== 0);
    }
    if ((this.#flags & ABANDONED) !== 0) return true;
    const { engine, highWaterMark } = this.#role;
    const written = engine.write(this.#slot, bytes);
    const { flushes } = engine;
    if (written < 0) {
      this.#queued = -1 - written;
      this.#pending = 0;
    } else {
      this.#pending = this.#holds(flushes) ? this.#pending + written : written;
    }
    this.#pendingFlush = flushes;
    return this.#queued + this.#pending <= highWaterMark || this.#exceeded();
  }

  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes);
    if ((this.#flags & (OVER | ENDED)) !== 0) return;
    this.#flags |= ENDED;
    this.#submit(SUBMIT_END);
    // It goes on receiving, so that the peer's end is seen.
    if (this.#isUnheard && (this.#flags & PAUSED) !== 0) this.#submit(SUBMIT_RESUME);
  }

  destroy(error?: Error): void {
    if (error != null) assertError(error, "error");
    if ((this.#flags & OVER) !== 0) return;
    this.#flags |= DESTROYED;
    if (error != null) reasons.set(this, error);
    this.#submit(SUBMIT_DESTROY);
    if (unclosed.has(this)) this.#role.engine.later(() => this[onClosed](0, false));
  }
  [Symbol.dispose](): void {
    this.destroy();
  }

  pause(): void {
    if ((this.#flags & (OVER | PAUSED)) !== 0) return;
    if ((this.#flags & HELD_BACK) === 0) this.#submit(SUBMIT_PAUSE);
    this.#flags |= PAUSED;
  }
  resume(): void {
    if ((this.#flags & PAUSED) === 0) return;
    this.#flags &= ~PAUSED;
    this.#receiveAgain();
  }

  setTimeout(idleMs: number): void {
    assertIdleMs(idleMs);
    if (!this.closed) this.#submit(SUBMIT_IDLE_TIMEOUT, Math.ceil(idleMs));
  }
  setNoDelay(on: boolean): void {
    assertBoolean(on, "on");
    if (!this.#isGone) noDelayOrThrow(this.#slot, on);
  }

  ref(): this {
    if ((this.#flags & (UNREFERENCED | CLOSED)) === UNREFERENCED) {
      this.#flags &= ~UNREFERENCED;
      this.#role.engine.ref();
    }
    return this;
  }
  unref(): this {
    if ((this.#flags & (UNREFERENCED | CLOSED)) === 0) {
      this.#flags |= UNREFERENCED;
      this.#role.engine.unref();
    }
    return this;
  }

  setHandlers(handlers: ConnectionHandlers<T>): void {
    assertHandlers(handlers);
    this[takeOver]({ handlers, endsItself: false, pacesItself: false });
  }

  detach(): Detached {
    if (this.#isGone) throw connectionError("ERR_CONNECTION_CLOSED", "the connection is closed");
    const received = this.#role.engine.detach(this.#slot); // first: it may throw
    this.#flags |= ABANDONED; // from now on nothing is submitted
    releaseReader(this, this.#role.handlers);
    this.#release();
    return { fd: this.#slot, unread: Buffer.concat([...takeWithheld(this), ...received]) };
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return iterate(this);
  }

  get [roleOf](): Role<T> {
    return this.#role;
  }

  /** For a reader: without a reason, too, destroying it may have cut off what it reads. */
  get [failureOf](): Error | null {
    return reasonOf(this) ?? ((this.#flags & DESTROYED) === 0 ? null : closedBeforeEnd());
  }

  /** From now on a stream, an iterator or other handlers serve it. */
  [takeOver](changes: Partial<Role<T>>): void {
    if (changes.handlers !== undefined) {
      // Other handlers know of it: a reader that comes later waits for the end as well.
      if (changes.endsItself === true && (this.#flags & PEER_ENDED) !== 0) this[unread]("end");
      releaseReader(this, this.#role.handlers);
    }
    this.#role = { ...this.#role, ...changes };
    const freed = this.#role.pacesItself === true ? this.#flags & HELD_BACK : 0;
    this.#flags &= ~freed;
    if (this.#role.handlers.data === undefined) this.pause();
    else if ((this.#flags & WITHHELD) !== 0 || freed !== 0) this.#receiveAgain();
  }

  /** Whether bytes wait: for `resume()`, or for its peer to take what answers it. */
  get [withholds](): boolean {
    return (this.#flags & (PAUSED | HELD_BACK)) !== 0;
  }

  /** Delivers this again, before all others, once nothing holds it back any more. */
  [unread](item: Uint8Array | "end"): void {
    const items = withheldOf(this);
    if (item === "end" && items.includes("end")) return;
    items.unshift(copyOf(item)); // in place: #deliverWithheld() may be running
    // Its delivery is due already, or it is over: for a reader that takes it.
    if ((this.#flags & (OVER | WITHHELD)) !== 0) return;
    this.#flags |= WITHHELD;
    this.#receiveAgain();
  }

  /** ABANDONED: its slot is another connection's from now on; UNWRITABLE. */
  [flag](bit: number): void {
    this.#flags |= bit;
  }
  [opened](): void {
    this.#call((handlers) => handlers.open?.(this));
  }

  [deliver](bytes: Uint8Array): void {
    if (this.#keeps(bytes)) return;
    try {
      this.#role.handlers.data?.(this, bytes);
    } catch (thrown) {
      handlerFailed(this, this.#role, thrown);
    }
  }

  [onEnd](): void {
    if (this.#keeps("end")) return;
    this.#flags |= PEER_ENDED;
    this.#call((handlers) => handlers.end?.(this));
    const { allowHalfOpen, endsItself = false } = this.#role;
    if (!allowHalfOpen && !endsItself && (this.#flags & WITHHELD) === 0) this.end();
  }

  [onQueued](reported: number): void {
    if ((this.#flags & OVER) !== 0) return;
    const { engine, lowWaterMark } = this.#role;
    // The report may be from before what was written in this turn.
    const old = this.#pendingFlush === engine.flushes && (this.#flags & ABANDONED) === 0;
    const bytes = old ? engine.queued(this.#slot) : reported;
    if (bytes === null) {
      this.#flags |= REPORTING;
      this.#submit(SUBMIT_REPORT);
      return;
    }
    if (old) this.#pending = 0; // counted in it
    this.#queued = bytes;
    this.#flags &= ~REPORTING;
    if (bytes > lowWaterMark) return;
    const before = this.#flags;
    this.#flags &= ~(HELD_BACK | NEEDS_DRAIN);
    if ((before & HELD_BACK) !== 0) this.#receiveAgain();
    const drains = (before & ENDED) === 0 || this.#role.pacesItself === true;
    if (drains && (before & NEEDS_DRAIN) !== 0) this.#call((handlers) => handlers.drain?.(this));
  }

  [onIdle](): void {
    if ((this.#flags & OVER) !== 0) return;
    if (this.#role.handlers.idle !== undefined) this.#call((handlers) => handlers.idle?.(this));
    else this.destroy(connectionError("ERR_CONNECTION_IDLE", "the connection was idle too long"));
  }

  /** The descriptor is closed. @param errno 0, or below it why. */
  [onClosed](errno: number, sending: boolean): void {
    if ((this.#flags & CLOSED) !== 0) return;
    this.#flags |= ABANDONED;
    if (errno === 0 && this.#isUnheard && isOnlyEnd(withheldOf(this))) {
      this.#flags &= ~PAUSED;
      this.#deliverWithheld();
    }
    const withholds = errno === 0 && (this.#flags & WITHHELD) !== 0 && !this.closed;
    if (withholds && !this.#isUnheard) {
      this.#keeps("closed");
      unclosed.set(this, this.#role.closed);
      return;
    }
    // Nothing may ever read it: it closes now, and a later reader takes what has arrived.
    if (!withholds) forgetWithheld(this);
    const lost = errno < 0 && (this.#flags & DESTROYED) === 0;
    if (lost && !reasons.has(this)) reasons.set(this, connectionLost(errno, sending));
    this.#release();
    try {
      this.#role.handlers.close?.(this, reasonOf(this));
    } catch (thrown) {
      this.#role.engine.raise(thrown);
    }
  }

  /** Whether `#pending` is still to be counted: its flush, or the report of that, is to come. */
  #holds(flushes: number): boolean {
    return this.#pendingFlush === flushes || (this.#flags & REPORTING) !== 0;
  }

  /** Whether a server has accepted it, and nothing takes what its peer sends. */
  get #isUnheard(): boolean {
    return this.#role.closed !== null && this.#role.handlers.data === undefined;
  }
  /** Whether its number may be another's: that of one whose opening is not dispatched yet, too. */
  get #isGone(): boolean {
    return (this.#flags & (OVER | ABANDONED)) !== 0 || !this.#role.engine.serves(this.#slot);
  }

  #submit(kind: number, length = 0): void {
    if ((this.#flags & ABANDONED) === 0) this.#role.engine.submit(this.#slot, kind, 0, length);
  }

  #release(): void {
    this.#flags |= CLOSED;
    unclosed.delete(this);
    this.#queued = 0;
    this.#pending = 0;
    if ((this.#flags & UNREFERENCED) === 0) this.#role.engine.unref();
    this.#role.closed?.();
  }

  /** More is buffered than the high-water mark: asks for a report. @returns false */
  #exceeded(): false {
    if ((this.#flags & REPORTING) === 0) this.#submit(SUBMIT_REPORT);
    this.#flags |= NEEDS_DRAIN | REPORTING;
    // Only what answers its own peer: two programs that both send first must both go on reading.
    const { engine, pacesItself = false } = this.#role;
    if (!pacesItself && (this.#flags & HELD_BACK) === 0 && engine.delivering === this) {
      if ((this.#flags & PAUSED) === 0) this.#submit(SUBMIT_PAUSE);
      this.#flags |= HELD_BACK;
    }
    return false;
  }

  #receiveAgain(): void {
    if ((this.#flags & (OVER | PAUSED | HELD_BACK)) !== 0) return;
    if ((this.#flags & WITHHELD) !== 0) this.#role.engine.later(() => this.#deliverWithheld());
    else this.#submit(SUBMIT_RESUME);
  }

  /** Keeps it from the handlers, if something holds it back; drops it if it is over. */
  #keeps(item: Withheld): boolean {
    if ((this.#flags & (OVER | PAUSED | HELD_BACK | WITHHELD)) === 0) return false;
    if ((this.#flags & OVER) !== 0) return true;
    const items = withheldOf(this);
    items.push(copyOf(item));
    this.#flags |= WITHHELD;
    if (this.#isUnheard && isPlenty(items, this.#role.highWaterMark)) this.#submit(SUBMIT_PAUSE);
    return true;
  }

  #deliverWithheld(): void {
    const { engine } = this.#role;
    const [items, delivering] = [withheldOf(this), engine.delivering];
    engine.delivering = this;
    while (items.length > 0 && (this.#flags & (OVER | PAUSED | HELD_BACK)) === 0) {
      const item = items.shift() as Withheld;
      this.#flags &= ~WITHHELD;
      if (item === "end") this[onEnd]();
      else if (item === "closed") this[onClosed](0, false);
      else this[deliver](item);
      this.#flags |= WITHHELD;
    }
    engine.delivering = delivering;
    if (items.length > 0) return;
    this.#flags &= ~WITHHELD;
    forgetWithheld(this);
    this.#receiveAgain();
  }

  #call(call: (handlers: ConnectionHandlers<T>) => void): void {
    try {
      call(this.#role.handlers);
    } catch (thrown) {
      handlerFailed(this, this.#role, thrown);
    }
  }
}
