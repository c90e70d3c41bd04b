// Which process holds the socket that accepts connections to a port of 127.0.0.1, from /proc:
// proc(5), proc_net_tcp of the kernel's documentation. Linux only; elsewhere nothing is known.

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

interface ListeningSocket {
  readonly inode: string;
  /** The user that made it. */
  readonly uid: number;
}

const tcpListen = "0A"; // TCP_LISTEN of the kernel's tcp_states.h

/** Local addresses in the order in which the kernel prefers them for a connection to 127.0.0.1. */
const addresses = [
  "0100007F", // 127.0.0.1
  "0000000000000000FFFF00000100007F", // ::ffff:127.0.0.1
  "00000000", // 0.0.0.0
  "00000000000000000000000000000000", // ::
];

/** The sockets on that port: several only with SO_REUSEPORT. Null if there is no such table. */
export function listeningSockets(port: number): readonly ListeningSocket[] | null {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].filter((path) => existsSync(path));
  if (tables.length === 0) return null;
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = tables
    .flatMap((path) => rowsOf(path, `:${hexPort} `))
    .filter(([, , , state]) => state === tcpListen);
  for (const address of addresses) {
    const found = rows.filter(([, local]) => local === `${address}:${hexPort}`);
    if (found.length > 0) return found.map((row) => ({ inode: row[9] ?? "", uid: Number(row[7]) }));
  }
  return [];
}

/** The rows with this text. Only they are taken apart: a busy machine has thousands of others. */
function rowsOf(path: string, mark: string): string[][] {
  const lines = readFileSync(path, "latin1").split("\n").slice(1);
  return lines.filter((line) => line.includes(mark)).map((line) => line.trim().split(/\s+/));
}

/** A process and all its descendants; empty if there is no such process. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of processes()) {
    const parent = parentOf(pid);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = parentOf(root) === null ? [] : [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Where processes accept connections, such as "0.0.0.0:8080", "[::1]:8080"; empty if not known. */
export function listeningOf(pids: readonly number[]): string[] {
  const inodes = new Set(pids.flatMap((pid) => [...(socketsOf(pid) ?? [])]));
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].filter((path) => existsSync(path));
  const rows = tables
    .flatMap((path) => rowsOf(path, ` ${tcpListen} `))
    .filter((row) => row[3] === tcpListen && inodes.has(row[9] ?? ""));
  return [...new Set(rows.map(([, local = ""]) => addressOf(local)))];
}

/** "0100007F:1F90" as people write it. The kernel prints words in the machine's byte order. */
function addressOf(local: string): string {
  const [hex = "", port = ""] = local.split(":");
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  const number = Number.parseInt(port, 16);
  if (bytes.length === 4) {
    return `${bytes.map((byte) => Number.parseInt(byte, 16)).join(".")}:${number}`;
  }
  const groups = (bytes.join("").match(/.{4}/g) ?? []).map((group) =>
    Number.parseInt(group, 16).toString(16),
  );
  const longest = groups.join(":").replace(/(?:^|:)0(?::0)+(?::|$)/, "::");
  return `[${longest.toLowerCase()}]:${number}`;
}

/** Those of the inodes that one of the processes holds; null if one may not be looked into. */
export function heldBy(pids: readonly number[], inodes: readonly string[]): Set<string> | null {
  const held = new Set<string>();
  let hidden = false;
  for (const pid of pids) {
    const sockets = socketsOf(pid);
    hidden ||= sockets === null;
    for (const inode of inodes) if (sockets?.has(inode)) held.add(inode);
  }
  return held.size < inodes.length && hidden ? null : held;
}

/** A process, not below `beside`, that holds one of the inodes; null if none is seen. */
export function holderOf(inodes: readonly string[], beside: readonly number[]): number | null {
  const others = processes().filter((pid) => !beside.includes(pid));
  return others.find((pid) => inodes.some((inode) => socketsOf(pid)?.has(inode))) ?? null;
}

/** The user that a process belongs to; null if it is gone. */
export function ownerOf(pid: number): number | null {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1];
  return uid === undefined ? null : Number(uid);
}

/** The inodes of its sockets; null if they are another user's to see. Empty if it is gone. */
function socketsOf(pid: number): Set<string> | null {
  const folder = `/proc/${pid}/fd`;
  try {
    const links = readdirSync(folder).map((fd) => linkOf(`${folder}/${fd}`));
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? null : new Set();
  }
}

/** Empty if the descriptor was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") throw error;
    return "";
  }
}

function processes(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number | null {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The command's name, in parentheses, may hold anything.
  const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return stat === "" ? null : Number(parent);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // it ended meanwhile
  }
}
