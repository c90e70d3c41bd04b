// NativeSelector: the Selector contract over the addon. It checks arguments once and keeps the
// keys; native code keeps the kernel's set.

import {
  assertEvents,
  assertObject,
  assertSignal,
  descriptorOf,
  isInt32,
  toNativeTimeout,
} from "./arguments.ts";
import { capabilitiesOf, optionBits } from "./backends.ts";
import { closedMeanwhile, destroyWhenCollected } from "./collected.ts";
import { invalidValue, SelectorError } from "./errors.ts";
import { EventRing } from "./event-ring.ts";
import { hintOf, hintOfMaking } from "./hints.ts";
import {
  native,
  RING_ENDED_BY_WAKER,
  RING_WISHES_END,
  RING_WISHES_TURN,
  systemError,
} from "./native.ts";
import { assertInteger } from "./opening.ts";
import type {
  BackendName,
  Capabilities,
  FileLike,
  ReadonlySelectorMap,
  ReadyEvent,
  RegisterOptions,
  Selector,
  SelectorKey,
  WaitOptions,
  Waker,
} from "./selector.ts";
import { SelectorMap } from "./selector-map.ts";
import { waitBeside } from "./wait.ts";
import { openWaker } from "./waker.ts";

const LEVEL: RegisterOptions = { mode: "level" };

/** For Reactor.run, which hosts Node's own event loop. Not part of the public contract. */
export const run = Symbol("run");
/** For Reactor.handleEvents, whose timers are no deadline of the caller. */
export const within = Symbol("within");
export const wishTurn = Symbol("wishTurn");
export const wishEnd = Symbol("wishEnd");
/** For the Reactor's dispatch: the events, and a descriptor's data without touching its key. */
export const ring = Symbol("ring");
export const dataOf = Symbol("dataOf");

/** Options of the selector classes. */
export interface SelectorOptions {
  /** One more than the largest descriptor that can be watched; select only. */
  readonly fdSetSize?: number;
}

/** What every selector class of this package is; a Reactor takes one. */
export class NativeSelector<T = unknown> implements Selector<T> {
  readonly backend: BackendName;
  readonly capabilities: Capabilities;
  readonly #id: number;
  /** @internal */
  readonly [ring] = new EventRing();
  readonly #ring = this[ring];
  // Both by descriptor and dense: a look-up costs 10 ns, and 28 in a Map. The data are next to
  // the keys so that dispatch touches one cache line less for each of ten thousand connections.
  readonly #keys: (SelectorKey<T> | undefined)[] = [];
  readonly #data: (T | undefined)[] = [];
  #map: SelectorMap<T> | null;
  #size = 0;
  /** Looks that a waker ended: one that another look has taken ends the waits beside it, too. */
  #wakes = 0;

  constructor(backend: BackendName, options: SelectorOptions = {}) {
    this.backend = backend;
    assertObject(options, "options");
    const { fdSetSize } = options;
    if (fdSetSize !== undefined) assertInteger(fdSetSize, 0x7fffffff, "fdSetSize");
    const id = native.create(backend, fdSetSize ?? 0, this.#ring.words);
    if (id < 0) {
      const hint = hintOf(backend, id) || hintOfMaking(id);
      throw systemError(id, `cannot make a ${backend} selector`, undefined, hint);
    }
    this.#id = id;
    destroyWhenCollected(this, id);
    this.capabilities = capabilitiesOf(id);
    this.#map = new SelectorMap(
      this.#keys,
      () => this.#size,
      (file) => this.#find(file),
    );
  }

  get closed(): boolean {
    return this.#map === null;
  }

  get size(): number {
    return this.#size;
  }

  register(
    file: FileLike,
    events: number,
    data?: T,
    options: RegisterOptions = LEVEL,
  ): SelectorKey<T> {
    this.#assertOpen();
    const fd = descriptorOf(file);
    assertEvents(events);
    this.#assertWatchable(fd);
    if (this.#keys[fd] !== undefined) {
      throw new SelectorError(
        "ERR_SELECTOR_KEY_EXISTS",
        `fd ${fd} is registered already; use modify()`,
      );
    }
    assertObject(options, "options");
    const bits = options === LEVEL ? 0 : optionBits(this.backend, this.capabilities, options);
    const answer = native.register(this.#id, fd, events, bits);
    if (answer < 0)
      throw systemError(
        answer,
        `cannot register fd ${fd}`,
        undefined,
        hintOf(this.backend, answer),
      );
    // Filled up to fd, because an array with holes turns into a dictionary.
    while (this.#keys.length <= fd) {
      this.#keys.push(undefined);
      this.#data.push(undefined);
    }
    this.#size++;
    return this.#put({ fileobj: file, fd, events, data });
  }

  modify(file: FileLike, events: number, data?: T): SelectorKey<T> {
    const key = this.getKey(file);
    assertEvents(events);
    // Also with the same events: it arms a oneshot again, and watches the new owner of a reused
    // number.
    const answer = native.modify(this.#id, key.fd, events);
    if (answer < 0) {
      this.#drop(key.fd);
      throw systemError(answer, `cannot modify fd ${key.fd}, which is unregistered now`);
    }
    this.#ring.mask(key.fd, events);
    return this.#put({ fileobj: key.fileobj, fd: key.fd, events, data });
  }

  unregister(file: FileLike): SelectorKey<T> {
    const key = this.getKey(file);
    native.unregister(this.#id, key.fd);
    this.#drop(key.fd);
    return key;
  }

  getKey(file: FileLike): SelectorKey<T> {
    this.#assertOpen();
    const key = this.#find(file);
    if (key !== undefined) return key;
    const name = typeof file === "number" ? `fd ${file}` : `fd ${descriptorOf(file)}`;
    throw new SelectorError("ERR_SELECTOR_KEY_NOT_FOUND", `${name} is not registered`);
  }

  getMap(): ReadonlySelectorMap<T> | null {
    return this.#map;
  }

  select(timeoutMs?: number | null): ReadyEvent<T>[] {
    const count = this.poll(timeoutMs);
    const ready: ReadyEvent<T>[] = [];
    for (let i = 0; i < count; i++) {
      const key = this.readyKey(i);
      if (key !== undefined) ready.push({ key, events: this.readyEvents(i) });
    }
    return ready;
  }

  poll(timeoutMs?: number | null): number {
    return this[within](timeoutMs, null);
  }

  /** @internal As poll(), which waits `mostMs` at most; that is no deadline of the caller's. */
  [within](timeoutMs: number | null | undefined, mostMs: number | null): number {
    this.#assertOpen();
    const nativeTimeout = toNativeTimeout(timeoutMs);
    this.#ring.beforeWait();
    return this.#take(native.poll(this.#id, nativeTimeout, toNativeTimeout(mostMs)));
  }

  readyKey(i: number): SelectorKey<T> | undefined {
    const fd = this.#ring.fdAt(i);
    return fd < 0 ? undefined : this.#keys[fd];
  }

  /** @internal */
  [dataOf](fd: number): T | undefined {
    return this.#data[fd];
  }

  readyEvents(i: number): number {
    return this.#ring.eventsAt(i);
  }

  readyFlags(i: number): number {
    return this.#ring.flagsAt(i);
  }

  async wait(options: WaitOptions = {}): Promise<ReadyEvent<T>[]> {
    assertObject(options, "options");
    assertSignal(options.signal);
    this.#assertOpen();
    const wakes = this.#wakes;
    const look = () => {
      this.#assertOpen();
      const ready = this.select(0);
      return ready.length > 0 || this.#wakes !== wakes ? ready : null;
    };
    return (await waitBeside(this.#id, look, options)) ?? [];
  }

  /** Waits repeatedly, without a deadline, until `close`. */
  async *[Symbol.asyncIterator](): AsyncIterator<ReadyEvent<T>[]> {
    while (!this.closed) {
      try {
        yield await this.wait();
      } catch (error) {
        if (this.closed) return;
        throw error;
      }
    }
  }

  waker(): Waker {
    this.#assertOpen();
    return openWaker(native.waker(this.#id));
  }

  ref(): this {
    return this.#setRef(true);
  }

  unref(): this {
    return this.#setRef(false);
  }

  fileno(): number | null {
    this.#assertOpen();
    const fd = native.fileno(this.#id);
    return fd < 0 ? null : fd;
  }

  close(): void {
    if (this.closed) return;
    native.destroy(this.#id);
    closedMeanwhile(this);
    this.#keys.length = 0;
    this.#data.length = 0;
    this.#size = 0;
    this.#ring.clear();
    this.#map = null;
  }

  /** Closes the selector, as `close` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * @internal Waits and calls `turn` until wishEnd(); see native.ts.
   * @param turn returns the timeout of the next wait, as poll() takes it. It must not throw.
   * @throws at once what refuses the run.
   */
  [run](turn: (ready: number) => number | null): Promise<void> {
    this.#assertOpen();
    let answer = 0;
    const over = new Promise<void>((resolve, reject) => {
      const onTurn = (ready: number) => {
        this.#ring.take(ready);
        const timeoutMs = turn(ready);
        // The returned timeout contains what the turn itself wished for.
        this.#head(~RING_WISHES_TURN, 0);
        return toNativeTimeout(timeoutMs);
      };
      const onOver = (answer: number) => {
        if (answer === 0) resolve();
        else if (this.closed) reject(closedError());
        else reject(systemError(answer, `cannot wait on ${this.backend}`));
      };
      answer = native.run(this.#id, onTurn, onOver);
    });
    if (answer < 0) {
      throw systemError(answer, "cannot run on Node's event loop (one run per selector)");
    }
    // Only now: if the run is refused, the wishes are those of the run that is there.
    this.#head(0, RING_WISHES_TURN);
    return over;
  }

  /** @internal There is something new to wait for: calls turn() at once. */
  [wishTurn](): void {
    this.#head(~0, RING_WISHES_TURN);
    native.nudge(this.#id);
  }

  /** @internal Ends run() before its next wait. */
  [wishEnd](): void {
    this.#head(~0, RING_WISHES_END);
    native.nudge(this.#id);
  }

  /** The wishes to a run: keeps the bits of `kept` and adds those of `set`. */
  #head(kept: number, set: number): void {
    const { words } = this.#ring;
    words[1] = ((words[1] as number) & kept) | set;
  }

  #take(count: number): number {
    this.#ring.take(count < 0 ? 0 : count);
    const { words } = this.#ring;
    // Taken: a wait that never looked leaves it as it was.
    if (words[0] === RING_ENDED_BY_WAKER) this.#wakes++;
    words[0] = 0;
    if (count < 0) throw systemError(count, `cannot wait on ${this.backend}`);
    return count;
  }

  #setRef(on: boolean): this {
    this.#assertOpen();
    native.refWatch(this.#id, on ? 1 : 0);
    return this;
  }

  #assertWatchable(fd: number): void {
    const { maxFd } = this.capabilities;
    if (maxFd === null || fd <= maxFd) return;
    throw invalidValue(
      `fd ${fd} exceeds the largest descriptor of this ${this.backend} selector, ${maxFd}; ` +
        "make it with a larger { fdSetSize }, or use poll or epoll",
    );
  }

  #put(key: SelectorKey<T>): SelectorKey<T> {
    this.#keys[key.fd] = Object.freeze(key);
    this.#data[key.fd] = key.data;
    return key;
  }

  #drop(fd: number): void {
    this.#keys[fd] = undefined;
    this.#data[fd] = undefined;
    this.#size--;
    this.#ring.drop(fd);
  }

  /**
   * By descriptor; an object whose descriptor is gone (closed before unregister) is found by
   * itself.
   */
  #find(file: FileLike): SelectorKey<T> | undefined {
    if (typeof file === "object" && file !== null && !(isInt32(file.fd) && file.fd >= 0)) {
      const key = this.#keys.find((key) => key?.fileobj === file);
      if (key !== undefined) return key;
    }
    return this.#keys[descriptorOf(file)];
  }

  #assertOpen(): void {
    if (this.#map === null) throw closedError();
  }
}

function closedError(): SelectorError {
  return new SelectorError("ERR_SELECTOR_CLOSED", "the selector is closed");
}
