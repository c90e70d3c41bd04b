// The selector classes: one per backend, and DefaultSelector, which picks the best that works here.

import { defaultBackend } from "./backends.ts";
import { NativeSelector } from "./native-selector.ts";

/** select(2): O(highest descriptor) per wait, descriptors below `fdSetSize`. */
export class SelectSelector<T = unknown> extends NativeSelector<T> {
  /**
   * @param options.fdSetSize one more than the largest descriptor; above FD_SETSIZE on
   *   Linux only.
   */
  constructor(options: { readonly fdSetSize?: number } = {}) {
    super("select", options);
  }
}

/** poll(2): O(registered) per wait. */
export class PollSelector<T = unknown> extends NativeSelector<T> {
  constructor() {
    super("poll");
  }
}

/** epoll(7): O(ready) per wait; Linux. */
export class EpollSelector<T = unknown> extends NativeSelector<T> {
  constructor() {
    super("epoll");
  }
}

/** kqueue(2): O(ready) per wait; macOS and the BSDs. */
export class KqueueSelector<T = unknown> extends NativeSelector<T> {
  constructor() {
    super("kqueue");
  }
}

/** io_uring(7) poll operations: O(ready) per wait, changes in the same call; Linux, opt-in. */
export class IoUringSelector<T = unknown> extends NativeSelector<T> {
  constructor() {
    super("io_uring");
  }
}

/** A selector over the best backend that works here: kqueue or epoll, then poll, then select. */
export class DefaultSelector<T = unknown> extends NativeSelector<T> {
  /** @throws {Error} in Node's form, such as `EMFILE`. */
  constructor() {
    super(defaultBackend());
  }
}
