// The selectors by name: one class a backend, and the one that picks. Enters: what this build and
// machine have.

import { native } from "./native.ts";
import { NativeSelector } from "./native-selector.ts";
import type { BackendName, Selector } from "./selector.ts";

/** What POSIX promises of select(2). */
const FD_SETSIZE = 1024;

/** select(2): O(highest descriptor) a wait, descriptors below `fdSetSize`. */
export class SelectSelector<T = unknown> extends NativeSelector<T> {
  /**
   * @param options.fdSetSize one more than the largest descriptor; beyond FD_SETSIZE where the
   *   kernel allows it (Linux).
   */
  constructor(options: { readonly fdSetSize?: number } = {}) {
    super("select", { fdSetSize: options.fdSetSize ?? FD_SETSIZE });
  }
}

/** poll(2): O(registered) a wait. */
export class PollSelector<T = unknown> extends NativeSelector<T> {
  constructor() {
    super("poll");
  }
}

/** epoll(7): O(ready) a wait; Linux. */
export class EpollSelector<T = unknown> extends NativeSelector<T> {
  constructor() {
    super("epoll");
  }
}

const makers: Readonly<Record<BackendName, new <T>() => Selector<T>>> = {
  epoll: EpollSelector,
  poll: PollSelector,
  select: SelectSelector,
};

/** The best backend that works here: epoll, then poll, then select. */
export function defaultBackend(): BackendName {
  for (const name of native.backends()) {
    if (!Object.hasOwn(makers, name)) continue;
    const backend = name as BackendName;
    try {
      new makers[backend]().close();
      return backend;
    } catch {
      // Refused by this kernel or sandbox: the next one in the order is tried.
    }
  }
  throw new Error("io-selectors: no backend works on this machine");
}

/** A selector over the best backend that works here. */
export class DefaultSelector<T = unknown> extends NativeSelector<T> {
  constructor() {
    const backend = defaultBackend();
    super(backend, backend === "select" ? { fdSetSize: FD_SETSIZE } : {});
  }
}
