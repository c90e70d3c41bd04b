#include "echo_server/child_processes.h"

#ifdef __linux__

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/timeout.h"

namespace io_selectors {

namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

Result<void> ChildProcesses::Install() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};  // so that it ends a wait; SIG_DFL would not
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGCHLD, &action, nullptr) < 0) return LastError("sigaction");
  sigset_t blocked = StopSignals();
  sigaddset(&blocked, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &blocked, &while_waiting_) < 0) return LastError("sigprocmask");
  for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) sigdelset(&while_waiting_, signal);
  return {};
}

pid_t ChildProcesses::Fork() {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return -errno;
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before that call, and then no signal will ever come.
  if (getppid() != parent) _exit(128 + SIGKILL);
  return 0;
}

void ChildProcesses::UnblockSignals() {
  const sigset_t signals = StopSignals();
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

Result<int> ChildProcesses::Wait(pollfd* watched, nfds_t count, int64_t timeout_ns) {
  const timespec timeout = ToTimespec(timeout_ns < 0 ? 0 : timeout_ns);
  const int ready = ppoll(watched, count, timeout_ns < 0 ? nullptr : &timeout, &while_waiting_);
  if (ready >= 0) return ready;
  if (errno != EINTR) return LastError("ppoll");
  return 0;
}

pid_t ChildProcesses::Reap() {
  const pid_t child = waitpid(-1, nullptr, WNOHANG);
  return child < 0 ? -errno : child;
}

}  // namespace io_selectors

#endif  // __linux__
