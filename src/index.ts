// The library's public surface: exports, nothing else.

export { type AvailableBackend, availableBackends } from "./backends.ts";
export { adopt, type ConnectOptions, connect } from "./connect.ts";
export type { Connection, ConnectionHandlers, Detached } from "./connection.ts";
export { type BindUdpOptions, bindUdp, connectUdp, recvFrom, sendTo } from "./datagram.ts";
export {
  close,
  dup,
  keepOpen,
  makeFifo,
  openFifo,
  openPty,
  type Pty,
  pipe,
  read,
  setNonBlocking,
  write,
} from "./descriptor.ts";
export { receiveDescriptor, sendDescriptor } from "./descriptor-passing.ts";
export type { DescriptorStreamOptions } from "./descriptor-stream.ts";
export type { ConnectionOptions, EngineName } from "./engines.ts";
export {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EEXIST,
  EHOSTUNREACH,
  EINPROGRESS,
  EINTR,
  EINVAL,
  EIO,
  EISCONN,
  EMFILE,
  EMSGSIZE,
  ENETDOWN,
  ENETUNREACH,
  ENFILE,
  ENOBUFS,
  ENODEV,
  ENOENT,
  ENOMEM,
  ENOPROTOOPT,
  ENOSPC,
  ENOTCONN,
  ENOTSOCK,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  EPROTO,
  EPROTOTYPE,
  ETIMEDOUT,
  errnoError,
} from "./errno.ts";
export { SelectorError, type SelectorErrorCode } from "./errors.ts";
export type { EventHandler, OnThrow } from "./event-handler.ts";
export { eventfd, openTimer, readEventfd, readTimer, writeEventfd } from "./event-source.ts";
export { FramingError, type OnRefused } from "./frame-cutter.ts";
export {
  type ByteLinesOptions,
  type LengthPrefixed,
  type LengthPrefixedOptions,
  type LinesOptions,
  lengthPrefixed,
  lines,
} from "./framing.ts";
export {
  addInotifyWatch,
  decodeInotify,
  IN,
  type InotifyEvent,
  openInotify,
  removeInotifyWatch,
  watchDirectory,
} from "./inotify.ts";
export {
  getBroadcast,
  getMulticastLoop,
  getMulticastTtl,
  joinMulticast,
  leaveMulticast,
  type MulticastMembership,
  setBroadcast,
  setMulticastInterface,
  setMulticastLoop,
  setMulticastTtl,
} from "./multicast.ts";
export type { NativeSelector, SelectorOptions } from "./native-selector.ts";
export {
  type NetlinkOptions,
  openNetlink,
  type RouteGroup,
  type UeventGroup,
} from "./netlink.ts";
export { type PipedBytes, pipeBoth } from "./pipe-both.ts";
export { Reactor, type ReactorOptions } from "./reactor.ts";
export type { Lookup } from "./resolve.ts";
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
  type CloseOptions,
  type EngineCounters,
  type ServeOptions,
  type Server,
  serve,
} from "./server.ts";
export { openSignals, readSignals } from "./signals.ts";
export {
  accept,
  type ConnectTcpOptions,
  connectTcp,
  type ListenOptions,
  listenTcp,
  localPort,
  recv,
  send,
  shutdown,
  socketError,
} from "./socket.ts";
export { localAddress, peerAddress, SocketAddress } from "./socket-address.ts";
export {
  getKeepAlive,
  getLinger,
  getNoDelay,
  getQuickAck,
  getReceiveBuffer,
  getReusePort,
  getSendBuffer,
  setKeepAlive,
  setLinger,
  setNoDelay,
  setQuickAck,
  setReceiveBuffer,
  setSendBuffer,
} from "./socket-options.ts";
export { type Refable, toDuplex, toReadable, toWebStreams, toWritable } from "./streams.ts";
export {
  enterRawMode,
  type RawMode,
  type SerialOptions,
  type TerminalSettings,
  terminalSettings,
} from "./terminal.ts";
export type { Timer } from "./timer-queue.ts";
export {
  bindUnix,
  type ConnectUnixOptions,
  connectUnix,
  type ListenUnixOptions,
  listenUnix,
  type SocketType,
  socketPair,
} from "./unix-socket.ts";
export { openWaker } from "./waker.ts";
export type { WebStreams } from "./web-streams.ts";
