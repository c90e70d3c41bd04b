// The figures that explain the cost of a server: calls and switches per message, and CPU time in
// user mode and in the kernel. They come from the server's own counters if it has them, otherwise
// from the kernel's.

import type { Window } from "../model/events.ts";
import type { CallField } from "../model/metrics.ts";
import type { BlockData } from "./block-data.ts";
import { divide, total } from "./window-sums.ts";

/** Null for a server that does not count, such as Node's own sockets. */
export function callsPerMessage(block: BlockData, field: CallField): number | null {
  const calls = block.round.account?.calls ?? null;
  if (calls === null || calls.recvCalls + calls.waitCalls === 0) return null;
  const { waitCalls, recvCalls, sendCalls, acceptCalls, controlCalls = 0 } = calls;
  // A connection that closed is one close(2).
  const all =
    waitCalls + recvCalls + sendCalls + acceptCalls + controlCalls + calls.connectionsClosed;
  return divide(field === "all" ? all : (calls[field] ?? null), messagesAccounted(block));
}

/** Null for a thread that is blocked in recv: it gets no events, rather than 0. */
export function eventsPerWait({ round: { account, turn } }: BlockData): number | null {
  if (turn !== null) return turn.eventsPerWait;
  const calls = account?.calls;
  return divide(calls?.eventsReturned || null, calls?.waitCalls);
}

type SwitchKinds = readonly ("voluntary" | "involuntary")[];

/** From the windows, or from the server's account if it has too many threads to read in each. */
export function switchesPerMessage(block: BlockData, kinds: SwitchKinds): number | null {
  const { account } = block.round;
  const fields = {
    voluntary: "serverVoluntarySwitches",
    involuntary: "serverInvoluntarySwitches",
  } as const;
  const sums =
    kinds.length === 2
      ? [total(block.windows, "serverContextSwitches")]
      : kinds.map((kind) => total(block.windows, fields[kind]));
  if (!sums.includes(null)) {
    const switches = sums.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    return divide(switches, total(block.windows, "completedMessages"));
  }
  const own = account?.switches ?? null;
  if (own === null) return null;
  const switches = kinds.reduce((sum, kind) => sum + own[kind], 0);
  return divide(switches, messagesAccounted(block));
}

/** Nanoseconds per message in one mode, over all windows: one block has too few samples. */
export function modePerMessage(
  blocks: readonly BlockData[],
  mode: "user" | "system",
): number | null {
  const windows: readonly Window[] = blocks.flatMap((block) => block.windows);
  const user = total(windows, "serverUserTickNs");
  const system = total(windows, "serverSystemTickNs");
  if (user === null || system === null) return null;
  const share = divide(mode === "user" ? user : system, user + system);
  const cpu = divide(total(windows, "serverCpuNs"), total(windows, "completedMessages"));
  return share === null || cpu === null ? null : share * cpu;
}

/** Counted by the bytes that the server received, so that they match its calls. */
function messagesAccounted({ round: { account, load } }: BlockData): number | null {
  if (!("payloadBytes" in load)) return null;
  return divide(account?.calls?.bytesReceived, load.payloadBytes);
}
