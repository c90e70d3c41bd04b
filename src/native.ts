// The only file that loads the addon, and the types of its whole surface. Nothing native throws:
// calls return a value, a count, a descriptor or -errno.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { getSystemErrorName } from "node:util";

/**
 * The ring of ready events: an Int32Array of (1 + capacity) × 4. The first four are its head:
 * [0] is `RING_ENDED_BY_WAKER` if a waker ended the poll, or 0; TypeScript sets [1] to the wishes
 * of a run (`RING_WISHES_…`, or 0). Four per event follow: descriptor, ready mask, generation of
 * the registration, raw flags. TypeScript allocates the ring; native code fills it and keeps it
 * referenced until `destroy`.
 */
export const RING_STRIDE = 4;
export const RING_ENDED_BY_WAKER = 1;
/** A turn without waiting: the timeout that the last turn returned is no longer valid. */
export const RING_WISHES_TURN = 1;
export const RING_WISHES_END = 2;

/** Bits of `register`'s options: the mode in the two lowest, then these. */
export const OPTION_MODES = { level: 0, edge: 1, oneshot: 2 } as const;
export const OPTION_EXCLUSIVE = 4;
export const OPTION_PRIORITY = 8;

/** What `socketPair` and the Unix sockets take as a type. */
export const SOCKET_TYPES = { stream: 0, datagram: 1, seqpacket: 2 } as const;

/** What `setOption` and `getOption` take as an option; the order of native SocketOption. */
export const SOCKET_OPTIONS = {
  noDelay: 0,
  keepAlive: 1,
  keepAliveIdle: 2,
  receiveBuffer: 3,
  sendBuffer: 4,
  quickAck: 5,
  reusePort: 6,
  broadcast: 7,
  /** Set: seconds, LINGER_OFF. Got: seconds and one, 0 for off. */
  linger: 8,
} as const;

/** What engineAdopt returns: the life of the slot times the stride, and these. */
export const ENGINE_CAN_READ = 1;
export const ENGINE_CAN_WRITE = 2;
export const ENGINE_ADOPT_STRIDE = 4;

/** What `setMulticast` and `getMulticast` take: the order of native MulticastOption. */
export const MULTICAST_OPTIONS = { hops: 0, loop: 1, interface: 2 } as const;

export const LINGER_OFF = -(2 ** 31);

/** An address in words: what its family lacks is empty, or 0. */
export interface NativeAddress {
  readonly family: "IPv4" | "IPv6" | "unix" | "none";
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

export interface NativePty {
  readonly controller: number;
  readonly terminal: number;
  readonly path: string;
}

/** Fastest without the last two, which then stand for all of `bytes`. */
type NativeTransfer = (fd: number, bytes: Uint8Array, offset?: number, length?: number) => number;

type NativeTransferWithAddress = (
  fd: number,
  address: Uint8Array | undefined,
  bytes: Uint8Array,
  offset: number | undefined,
  length: number | undefined,
) => number;

type NativePassing<Descriptors> = (
  socket: number,
  descriptors: Descriptors,
  bytes: Uint8Array,
  offset: number | undefined,
  length: number | undefined,
) => number;

export interface NativeBackend {
  readonly name: string;
  /** Whether this build contains it. */
  readonly contained: boolean;
  /** Why it is not contained, or what usually makes the system refuse it; may be empty. */
  readonly reason: string;
  readonly byDefault: boolean;
}

export interface NativeCapabilities {
  readonly edge: boolean;
  readonly oneshot: boolean;
  readonly exclusive: boolean;
  readonly priority: boolean;
  readonly regularFiles: boolean;
  /** -1: no bound of its own. */
  readonly maxFd: number;
  readonly timeoutResolutionNs: number;
  readonly asyncWait: "nested" | "thread";
}

/** Calls, events and bytes of an engine since it was made. */
export interface EngineCounters {
  /** Waits for events, and with io_uring also submissions. */
  readonly waitCalls: number;
  /** Events that the waits returned. */
  readonly eventsReturned: number;
  /** recv(2) and read(2), or their completions. */
  readonly receiveCalls: number;
  /** send(2), sendmsg(2) and write(2), or their completions. */
  readonly sendCalls: number;
  /** accept4(2), or its completions. */
  readonly acceptCalls: number;
  /** Changes of the set that the kernel watches, such as epoll_ctl(2). */
  readonly controlCalls: number;
  /** Bytes received by all connections. */
  readonly bytesReceived: number;
  /** Bytes sent by all connections. */
  readonly bytesSent: number;
}

/**
 * Every function returns ≥ 0 or -errno, unless its comment has another contract; `failedSyscall`
 * then names the call that failed.
 */
export interface Native {
  /** Every backend that there is, in the order in which they are preferred. */
  backends(): NativeBackend[];
  failedSyscall(): string;
  /** Makes an error an `uncaughtException` at once; returns if the process survives that. */
  raise(error: unknown): void;

  capabilities(id: number): NativeCapabilities;
  create(backend: string, fdSetSize: number, ring: Int32Array): number;
  destroy(id: number): void;
  register(id: number, fd: number, events: number, options: number): number;
  modify(id: number, fd: number, events: number): number;
  unregister(id: number, fd: number): number;
  /**
   * Below 0 milliseconds: without a deadline. Such a wait also ends, with 0, if Node's loop has
   * something to do; if it brought events nevertheless, the next one does. Either wait ends after
   * `mostMs`, unless that is below 0.
   */
  poll(id: number, timeoutMs: number, mostMs: number): number;
  /**
   * Waits on this selector while Node's loop goes on, from its next pass on. EBUSY if the selector
   * has a run already.
   * @param turn called after each wait with the number of ready events, as Node calls for its own:
   *   ticks, promise jobs and unhandled rejections are served after it. Returns for how many
   *   milliseconds the next wait may last, below 0 without a limit. It must not throw.
   * @param over called at the end, once: with 0 after a wish for it, else with -errno.
   */
  run(id: number, turn: (ready: number) => number, over: (answer: number) => void): number;
  /** After a wish: the run, if there is one, sees it before Node's loop sleeps. */
  nudge(id: number): void;
  /** The backend's own descriptor, -1 without one; other sets may contain it from now on. */
  fileno(id: number): number;

  /** Resolved when a poll without waiting is worth while; -errno if it cannot be watched. */
  watch(id: number): Promise<void> | number;
  /** Resolves what watch has given out. */
  cancelWatch(id: number): void;
  /** Whether a watch keeps the process alive (1) or not (0). */
  refWatch(id: number, on: number): void;
  /** The number by which any thread of this process can wake the selector. */
  waker(id: number): number;
  /** From any thread; nothing if the selector is closed. */
  wake(handle: number): void;

  listenTcp(host: string, port: number, backlog: number, reusePort: boolean): number;
  /** @param source the local address to bind before; empty leaves the choice to the kernel. */
  connectTcp(host: string, port: number, source: string): number;
  localPort(fd: number): number;
  /** Types are places in SOCKET_TYPES. */
  listenUnix(path: string, type: number, backlog: number): number;
  connectUnix(path: string, type: number): number;
  bindUnix(path: string): number;
  socketPair(type: number): [number, number] | number;
  bindUdp(host: string, port: number, reusePort: boolean, reuseAddress: boolean): number;
  connectUdp(host: string, port: number): number;

  /** Bytes of the longest path of a Unix socket. */
  readonly longestUnixPath: number;
  /** The size of the Uint8Array that holds any socket's address, here as `into` and `address`. */
  readonly addressBytes: number;
  inetAddress(host: string, port: number, into: Uint8Array): number;
  unixAddress(path: string, into: Uint8Array): number;
  localAddress(fd: number, into: Uint8Array): number;
  peerAddress(fd: number, into: Uint8Array): number;
  describeAddress(address: Uint8Array): NativeAddress;

  // I/O: takes values of any kind, and returns -EINVAL for those that make no sense.
  accept(fd: number): number;
  recv: NativeTransfer;
  send: NativeTransfer;
  /**
   * Where `recvLent` and `sendLent` find their arguments and leave their answer: an Int32Array of
   * descriptor, offset, length (above 0), answer.
   */
  lendFrame(frame: Int32Array): number;
  /**
   * What `recvLent` (direction 0) receives into, or `sendLent` (1) sends from; the caller keeps it,
   * and has seen before each call that it is still so long. @returns its length.
   */
  lend(direction: number, bytes: Uint8Array): number;
  recvLent(): void;
  sendLent(): void;
  recvFrom: NativeTransferWithAddress;
  sendTo: NativeTransferWithAddress;
  read: NativeTransfer;
  write: NativeTransfer;
  readCounter(fd: number): number;
  writeCounter(fd: number, count: number): number;
  close(fd: number): number;
  /** Closes a descriptor when this thread ends, unless `close` or `keepOpen` comes first. */
  own(fd: number): void;
  /** The end of this thread does not close the descriptor. */
  keepOpen(fd: number): void;
  shutdown(fd: number, how: number): number;
  setNonBlocking(fd: number, on: number): number;
  /** Options are places in SOCKET_OPTIONS. */
  setOption(fd: number, option: number, value: number): number;
  getOption(fd: number, option: number): number;
  /** SO_ERROR as a positive errno, 0 without one. */
  socketError(fd: number): number;

  /**
   * Makes an engine over that backend of readiness, or for "" over completions of io_uring. What it
   * shares is laid out in native/proactor/rings.h.
   * @returns an id.
   */
  createEngine(
    backend: string,
    head: Int32Array,
    completions: Int32Array,
    submissions: Int32Array,
    outbound: Uint8Array,
  ): number;
  /** Closes all that it has. The id is not used again. */
  engineDestroy(id: number): void;
  /** The bytes that completions name. */
  engineInbound(id: number): ArrayBuffer;
  /** Takes a listening socket over, whose number is its slot from now on. Returns its life. */
  engineListen(id: number, fd: number, room: number, paused: boolean, idleMs: number): number;
  /**
   * Takes a connection over. Returns its life times ENGINE_ADOPT_STRIDE, and ENGINE_CAN_READ |
   * ENGINE_CAN_WRITE.
   */
  engineAdopt(id: number, fd: number, paused: boolean, idleMs: number): number;
  /** Returns what was received and not reported. */
  engineDetach(id: number, slot: number): Uint8Array | number;
  /** Returns 1 while the descriptor belongs to that life, else 0. */
  engineServes(id: number, slot: number, life: number): number;
  /** Sends what is too long for `outbound`. Returns how many bytes of the slot are queued now. */
  engineWrite(id: number, slot: number, life: number, bytes: Uint8Array): number;
  /** Takes all submissions. */
  engineFlush(id: number): void;
  /**
   * Serves the engine, as `run` a selector: `turn` is called after each wait that has completions;
   * `head` has their number. It must not throw.
   */
  engineRun(id: number, turn: () => void, over: (answer: number) => void): number;
  /** What another loop can watch instead of `engineRun`; -1 without one. */
  engineFileno(id: number): number;
  /** One turn without waiting. Returns the number of completions in the ring. */
  engineTurn(id: number): number;
  /**
   * After the dispatch of a turn, before another loop waits: sends. Returns the milliseconds until
   * the next turn at most: 0 at once, below 0 without a limit.
   */
  engineSettle(id: number): number;
  /** Whether it keeps the process alive (1) or not (0). */
  engineRef(id: number, on: number): void;
  engineCounters(id: number): EngineCounters;

  dup(fd: number): number;
  pipe(): [number, number] | number;
  makeFifo(path: string, mode: number): number;
  openFifo(path: string, write: boolean): number;
  openPty(): NativePty | number;
  openEventfd(initial: number): number;
  openTimer(delayNs: number, intervalNs: number): number;

  openInotify(): number;
  addWatch(fd: number, path: string, mask: number): number;
  removeWatch(fd: number, watch: number): number;
  watchDirectory(path: string): number;
  openNetlink(uevent: boolean, groups: Int32Array): number;
  openSignals(numbers: Int32Array): number;
  takeSignals(fd: number): readonly number[] | number;

  /** The size of the Uint8Array that holds a terminal's state, here as `saved`. */
  readonly terminalStateBytes: number;
  /** Lines are native SerialLine as seven integers. */
  enterRawMode(fd: number, line: Int32Array, saved: Uint8Array): number;
  restoreTerminal(fd: number, saved: Uint8Array): number;
  readTerminal(fd: number, line: Int32Array): number;
  /** Whether EIO from read(2) is the end of a pseudo-terminal, and not the failure of a device. */
  endsWithEio(fd: number): boolean;

  /** I/O: takes values of any kind. */
  sendDescriptor: NativePassing<number | Int32Array>;
  receiveDescriptor: NativePassing<Int32Array>;
  /** An index of 0 is the kernel's choice, a source of "" any. */
  changeMembership(fd: number, join: boolean, group: string, index: number, source: string): number;
  interfaceIndex(name: string): number;
  /** Options are places in MULTICAST_OPTIONS. */
  setMulticast(fd: number, option: number, value: number): number;
  getMulticast(fd: number, option: number): number;
}

/** The package's own folder, from src/ as from dist/src/. */
function findPackageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "binding.gyp"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("io-selectors: no binding.gyp above src/native");
    folder = parent;
  }
  return folder;
}

/**
 * What was compiled here, else a prebuilt one of this platform, architecture and C library; see
 * node-gyp-build.
 * @throws {Error} one line: what to run.
 */
function load(): Native {
  const root = findPackageRoot();
  const require = createRequire(import.meta.url);
  try {
    const { path: findAddon } = require("node-gyp-build") as { path: (folder: string) => string };
    return require(findAddon(root)) as Native;
  } catch (cause) {
    const refusal = refusalOf(cause as NodeJS.ErrnoException & { resource?: string });
    if (refusal !== null) throw new Error(`io-selectors: ${refusal}`, { cause });
    const machine = `${process.platform}-${process.arch}, Node ${process.versions.node}`;
    const inClone = existsSync(join(root, "build.mjs"));
    const build = inClone ? "npm run build" : `npx node-gyp rebuild --directory "${root}"`;
    throw new Error(`io-selectors: no compiled addon for ${machine}; run: ${build}`, { cause });
  }
}

/** What Node itself refused, in words; null if the addon is missing or does not fit. */
function refusalOf(cause: NodeJS.ErrnoException & { resource?: string }): string | null {
  const limited = "permission" in process && process.permission !== undefined;
  if (cause.code === "ERR_DLOPEN_DISABLED") {
    return limited
      ? "Node loads no native addon under --permission; start it with --allow-addons too"
      : "Node loads no native addon because of --no-addons; start it without that option";
  }
  if (cause.code !== "ERR_ACCESS_DENIED") return null;
  const file = cause.resource ?? "its files";
  return `Node may not read ${file} under --permission; start it with --allow-fs-read=${file} too`;
}

// Copied, because V8 keeps what Node-API has filled as a dictionary, and looks each call up in it.
export const native: Native = { ...load() };

/** An answer below 0 in words: `epoll_ctl: EPERM`. */
export function describeRefusal(answer: number, hint = ""): string {
  const refusal = `${native.failedSyscall()}: ${getSystemErrorName(answer)}`;
  return hint === "" ? refusal : `${refusal} (${hint})`;
}

/**
 * Node's own form of a system error, for an answer below 0.
 * @param what failed, with its value.
 * @param syscall that failed; I/O calls, which never refuse through failedSyscall(), name theirs.
 * @param hint why, and what to do, if the errno does not show it.
 */
export function systemError(
  answer: number,
  what: string,
  syscall = native.failedSyscall(),
  hint = "",
): NodeJS.ErrnoException {
  const code = getSystemErrorName(answer);
  const message = `${what}: ${syscall} ${code}${hint === "" ? "" : ` (${hint})`}`;
  return Object.assign(new Error(message), { code, errno: answer, syscall });
}
