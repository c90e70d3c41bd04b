// Children of a server that uses processes: forked with the stop signals blocked, ended with the
// parent, reaped without leaving a zombie. Signals reach the parent only while it waits, so none is
// lost between a check and a wait. fork(2), waitpid(2), ppoll(2), PR_SET_PDEATHSIG(2const)
#pragma once

#ifdef __linux__

#include <poll.h>
#include <sys/types.h>

#include <csignal>
#include <cstdint>

#include "core/result.h"

namespace io_selectors {

class ChildProcesses {
 public:
  /** Blocks SIGTERM, SIGINT and SIGCHLD; Wait() lets them through. */
  Result<void> Install();

  /** fork(2). In the child it returns 0, the stop signals are still blocked, and the kernel kills
   * it when the parent dies. @returns the child's id, or -errno. */
  pid_t Fork();

  /** In the child: lets the stop signals through, whose handlers are now its own. */
  static void UnblockSignals();

  /** ppoll(2), ended by a signal as well. @returns what it answers, 0 after a signal. */
  Result<int> Wait(pollfd* watched, nfds_t count, int64_t timeout_ns);

  /** One child that has ended, 0 if there is none now, -ECHILD if there is none at all. */
  static pid_t Reap();

 private:
  sigset_t while_waiting_{};
};

}  // namespace io_selectors

#endif  // __linux__
