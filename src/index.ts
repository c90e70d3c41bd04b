// The library's public surface: exports, nothing else.

export { type AvailableBackend, availableBackends } from "./backends.ts";
export { SelectorError, type SelectorErrorCode } from "./errors.ts";
export { type EventHandler, Reactor, type ReactorOptions } from "./reactor.ts";
export {
  type BackendName,
  type Capabilities,
  EVENT_READ,
  EVENT_WRITE,
  type FileLike,
  FLAG_ERROR,
  FLAG_HANGUP,
  FLAG_PRIORITY,
  FLAG_READ_CLOSED,
  type ReadonlySelectorMap,
  type ReadyEvent,
  type RegisterOptions,
  type Selector,
  type SelectorKey,
  type WaitOptions,
  type Waker,
} from "./selector.ts";
export {
  DefaultSelector,
  EpollSelector,
  IoUringSelector,
  KqueueSelector,
  PollSelector,
  SelectSelector,
} from "./selectors.ts";
export {
  accept,
  close,
  connectTcp,
  EAGAIN,
  ECONNRESET,
  EINPROGRESS,
  EMFILE,
  ENFILE,
  EPIPE,
  type ListenOptions,
  listenTcp,
  localPort,
  recv,
  send,
  socketError,
} from "./socket.ts";
export type { Timer } from "./timer-queue.ts";
export { openWaker } from "./waker.ts";
