// The selectors of the backends that work on this machine, by name; those that do not, with why.

import {
  availableBackends,
  EpollSelector,
  IoUringSelector,
  KqueueSelector,
  type NativeSelector,
  PollSelector,
  SelectSelector,
} from "../../src/index.ts";

const classes = {
  select: SelectSelector,
  poll: PollSelector,
  epoll: EpollSelector,
  kqueue: KqueueSelector,
  io_uring: IoUringSelector,
} as const;

type Make = <T>() => NativeSelector<T>;

export const selectorClasses: readonly (readonly [string, Make])[] = availableBackends()
  .filter(({ available }) => available)
  .map(({ name }) => [name, <T>() => new classes[name]<T>()] as const);

export const missingBackends: readonly (readonly [string, string])[] = availableBackends()
  .filter(({ available }) => !available)
  .map(({ name, reason }) => [name, reason ?? ""] as const);
