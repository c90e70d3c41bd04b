// The library's public surface: exports, nothing else.

export { SelectorError, type SelectorErrorCode } from "./errors.ts";
export type { AvailableBackend } from "./native-selector.ts";
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
} from "./selector.ts";
export {
  availableBackends,
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
