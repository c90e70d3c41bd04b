// The third part of an error message, what to do, for refusals that the errno alone does not
// explain.

import { constants } from "node:os";
import { native } from "./native.ts";
import type { BackendName } from "./selector.ts";

const { EBADF, EINVAL, ENOSYS, EPERM } = constants.errno;

/** @returns why, and what to do, for a selector's own calls; empty if the errno is enough. */
export function hintOf(backend: BackendName, answer: number): string {
  const syscall = native.failedSyscall();
  if (backend === "select" && answer === -EINVAL && syscall === "register") {
    return (
      "the process has so many open descriptors that the selector's own exceed fdSetSize; make " +
      "the selector earlier, or with a larger { fdSetSize } (Linux), or use poll or epoll"
    );
  }
  if (backend === "epoll" && answer === -EPERM && syscall === "epoll_ctl") {
    return (
      "epoll does not watch regular files and folders, which are always ready; " +
      "read and write them without waiting, or use poll, select or io_uring"
    );
  }
  return answer === -EBADF ? "the descriptor is not open" : "";
}

/** @returns what to do if there can be no selector over a backend; empty if the errno is enough. */
export function hintOfMaking(answer: number): string {
  return answer === -ENOSYS ? "not available here: availableBackends() has the reason" : "";
}
