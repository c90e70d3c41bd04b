// Opens a selector of the backend that a measurement names, for as many descriptors as it needs.

import {
  type BackendName,
  EpollSelector,
  IoUringSelector,
  KqueueSelector,
  type NativeSelector,
  PollSelector,
  SelectSelector,
} from "../../src/index.ts";

const classes: Readonly<
  Record<BackendName, new <T>(options: { readonly fdSetSize: number }) => NativeSelector<T>>
> = {
  epoll: EpollSelector,
  io_uring: IoUringSelector,
  kqueue: KqueueSelector,
  poll: PollSelector,
  select: SelectSelector,
};

/** @param fdSetSize the largest descriptor plus one, for select(2). @throws {SelectorError} */
export function openSelector<T>(backend: BackendName, fdSetSize: number): NativeSelector<T> {
  return new classes[backend]<T>({ fdSetSize });
}
