#include "load_generator/burn.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "core/timeout.h"
#include "load_generator/exec.h"
#include "load_generator/options.h"
#include "load_generator/process_tree.h"

namespace io_selectors {

namespace {

constexpr int kCannotRun = 127;  // as a shell reports it
// Short against a window.
constexpr int64_t kLookNs = 10 * kNsPerMs;
constexpr int64_t kLongestPauseNs = 160 * kNsPerMs;

int64_t OwnCpuNs() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

[[noreturn]] void Become(const std::vector<std::string>& arguments) {
  const int error = Exec(arguments);
  std::fprintf(stderr, "load-generator burn: %s: %s\n", arguments[0].c_str(), std::strerror(error));
  _exit(kCannotRun);
}

/**
 * Until the command ends. What looking costs is part of what is burnt: if that alone is too much,
 * as beside a server that uses little, the looks become fewer. @returns the command's status.
 */
int BurnBeside(pid_t command, int64_t percent) {
  ProcessTree tree(command);
  const int64_t own_before_ns = OwnCpuNs();
  int64_t first_ns = kUnknown;
  int64_t pause_ns = kLookNs;
  for (int status = 0;;) {
    if (waitpid(command, &status, WNOHANG) == command) return status;
    tree.LookAtClocks();
    const int64_t used_ns = tree.Look().cpu_ns;
    if (first_ns == kUnknown) first_ns = used_ns;
    const int64_t due_ns = used_ns == kUnknown ? 0 : (used_ns - first_ns) * percent / 100;
    const bool too_much = OwnCpuNs() - own_before_ns > due_ns;
    pause_ns = too_much ? std::min(pause_ns * 2, kLongestPauseNs) : std::max(pause_ns / 2, kLookNs);
    while (OwnCpuNs() - own_before_ns < due_ns) {
    }
    const timespec pause = ToTimespec(pause_ns);
    nanosleep(&pause, nullptr);
  }
}

}  // namespace

int Burn(const std::vector<std::string>& arguments) {
  int64_t percent = 0;
  const bool good = arguments.size() > 3 && arguments[0] == "--percent" && arguments[2] == "--" &&
                    ParseNumber(arguments[1], 1, 1'000, &percent);
  if (!good) {
    std::fprintf(stderr, "load-generator burn: usage: burn --percent N -- COMMAND [ARGUMENTS]\n");
    return 2;
  }
  // If it is inherited as ignored, the command's status is lost.
  signal(SIGCHLD, SIG_DFL);
  const pid_t command = fork();
  if (command < 0) {
    std::fprintf(stderr, "load-generator burn: fork: %s\n", std::strerror(errno));
    return kCannotRun;
  }
  if (command == 0) Become({arguments.begin() + 3, arguments.end()});
  // The command is told to end with us, and its end is ours.
  for (const int number : {SIGTERM, SIGINT}) signal(number, SIG_IGN);
  const int status = BurnBeside(command, percent);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace io_selectors
