// The system calls of one server by name, and which of them our own servers count.

import * as s from "./schema.ts";

export const callCountsSchema = s.record({
  /** Why nothing was counted; null if it was. */
  reason: s.nullable(s.text),
  /** The rate of the pass, which is below that of the windows; null for a closed loop. */
  ratePerSecond: s.nullable(s.number),
  /** Messages that were answered meanwhile; cycles of connecting and closing in a churn. */
  messages: s.amount,
  /** The calls of all threads and processes of the server, by the kernel's names. */
  calls: s.mapOf(s.amount),
});

/** The system calls of one contender by name, counted from outside in a pass of its own. */
export type CallCounts = s.Infer<typeof callCountsSchema>;

/** What the suite's servers count under each of their names, by the kernel's names. */
export const countedCalls = {
  waitCalls: [
    ...["select", "pselect6", "poll", "ppoll", "io_uring_enter"],
    ...["epoll_wait", "epoll_pwait", "epoll_pwait2"],
  ],
  recvCalls: ["recvfrom", "recv"],
  sendCalls: ["sendto", "send"],
  acceptCalls: ["accept", "accept4"],
  controlCalls: ["epoll_ctl"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
