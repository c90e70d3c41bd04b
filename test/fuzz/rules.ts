// Legitimate differences between the kernels' interfaces, each with the manual page that documents
// it. Everything else must be equal on every backend.

import type { BackendName } from "../../src/index.ts";

export interface Rules {
  /**
   * Whether register and modify ask the kernel about the number, which then refuses a closed one.
   */
  readonly refusesClosed: boolean;
  /** What a registration watches whose number was closed, and perhaps given out again. */
  readonly orphansWatch: "number" | "file" | "nothing";
  /** Whether a hang-up counts as writable. */
  readonly hangupIsOutput: boolean;
  /** Whether an edge is reported though what was ready has been taken since. */
  readonly keepsEdges: boolean;
  /** Whether a wait that meets a closed number tells of closed numbers only. */
  readonly closedFirst: boolean;
}

export const RULES: Readonly<Record<BackendName, Rules>> = {
  // poll(2): takes numbers at each wait, and answers POLLNVAL for a closed one.
  poll: {
    refusesClosed: false,
    orphansWatch: "number",
    hangupIsOutput: true,
    keepsEdges: false,
    closedFirst: false,
  },
  // select(2): takes numbers at each wait; EBADF for a closed one ends it before anything else is
  // found out; "POLLOUT_SET (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)" is without EPOLLHUP.
  // We ask fcntl(2) about a number first: one beyond the table would seem ready.
  select: {
    refusesClosed: true,
    orphansWatch: "number",
    hangupIsOutput: false,
    keepsEdges: false,
    closedFirst: true,
  },
  // epoll(7), Q6: an entry ends with the open file description, so it lives on in a duplicate;
  // after the set was rebuilt it is the number's again. epoll_ctl(2): EBADF, and EPERM for
  // regular files.
  epoll: {
    refusesClosed: true,
    orphansWatch: "file",
    hangupIsOutput: true,
    keepsEdges: false,
    closedFirst: false,
  },
  // io_uring_enter(2): a poll of a closed number completes with EBADF. A pending one holds the
  // file, which is why close() lets go of it; the registration then waits for modify.
  // io_uring_prep_poll_multishot(3): it completes at the edge, whatever happens before the next
  // wait.
  io_uring: {
    refusesClosed: false,
    orphansWatch: "nothing",
    hangupIsOutput: true,
    keepsEdges: true,
    closedFirst: false,
  },
  // kqueue(2): closing a descriptor removes its events; EBADF for a closed one.
  kqueue: {
    refusesClosed: true,
    orphansWatch: "nothing",
    hangupIsOutput: true,
    keepsEdges: false,
    closedFirst: false,
  },
};
