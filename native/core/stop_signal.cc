#include "core/stop_signal.h"

#include <fcntl.h>
#include <signal.h>

#include <atomic>

namespace io_selectors {

namespace {

std::atomic<bool> raised{false};
std::atomic<int> pipe_writer{-1};

void OnSignal(int /*signal*/) {
  const int saved = errno;
  raised.store(true, std::memory_order_relaxed);
  // A full pipe is readable already, which is all that is wanted.
  const ssize_t written = write(pipe_writer.load(std::memory_order_relaxed), "", 1);
  (void)written;
  errno = saved;
}

}  // namespace

Result<StopSignal> StopSignal::Install() {
  int ends[2];
  if (pipe(ends) < 0) return LastError("pipe");
  StopSignal stop;
  stop.reader_.Reset(ends[0]);
  stop.writer_.Reset(ends[1]);
  for (const int end : ends) {
    if (fcntl(end, F_SETFD, FD_CLOEXEC) < 0 || fcntl(end, F_SETFL, O_NONBLOCK) < 0) {
      return LastError("fcntl");
    }
  }
  pipe_writer.store(ends[1], std::memory_order_relaxed);

  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGINT}) {
    if (sigaction(signal, &action, nullptr) < 0) return LastError("sigaction");
  }
  action.sa_handler = SIG_IGN;
  if (sigaction(SIGPIPE, &action, nullptr) < 0) return LastError("sigaction");
  return stop;
}

StopSignal::~StopSignal() {
  // Later signals only raise the flag: the number may have been reused by then.
  int writer = writer_.get();
  if (writer_.valid()) pipe_writer.compare_exchange_strong(writer, -1, std::memory_order_relaxed);
}

bool StopSignal::Raised() { return raised.load(std::memory_order_relaxed); }

}  // namespace io_selectors
