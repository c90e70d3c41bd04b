// Whether something listens on a port, by the kernel's own tables, so that the question disturbs no
// server. proc_net_tcp of the kernel's documentation.

import type { ReadText } from "./kernel-files.ts";

const tcpListen = "0A"; // TCP_LISTEN of the kernel's tcp_states.h

/** Whether a socket listens on that port, of any address. */
export function listensOn(read: ReadText, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["/proc/net/tcp", "/proc/net/tcp6"].some((path) =>
    (read(path) ?? "").split("\n").some((line) => {
      const [, local = "", , state] = line.trim().split(/\s+/);
      return state === tcpListen && local.endsWith(suffix);
    }),
  );
}
