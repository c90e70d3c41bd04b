#include "load_generator/supervise.h"

#include <fcntl.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "core/timeout.h"
#include "load_generator/descendants.h"
#include "load_generator/exec.h"
#include "load_generator/limits.h"

namespace io_selectors {

namespace {

constexpr int kCannotRun = 127;  // as a shell reports it

/** A list of children may miss one while others end: it is read again after this long. */
constexpr timespec kLookAgain = {0, 50'000'000};

/** We may lack the permission to kill a process, such as one that became root: kill(2), EPERM. */
constexpr int64_t kGiveUpAfterNs = 5'000'000'000;

volatile sig_atomic_t stop_signal = 0;

class Supervisor {
 public:
  explicit Supervisor(bool kill_rest) : kill_rest_(kill_rest) {}

  int Run(const std::vector<std::string>& arguments) {
    CatchSignals();
    AdoptOrphans();
    command_ = fork();
    if (command_ < 0) return Fail("fork");
    if (command_ == 0) Become(arguments);
    setpgid(command_, command_);  // the child does so, too: whichever runs first
    while (ReapAll()) {
      if (killing_) SignalAll(SIGKILL);
      if (killing_ && reaped_ && GivesUp()) break;
      Wait();
      if (stop_signal != 0) SignalAll(std::exchange(stop_signal, 0));
    }
    return EndAsTheCommand();
  }

 private:
  /** Blocked but while we wait, so that none comes between a look and a wait. */
  void CatchSignals() {
    struct sigaction action = {};
    action.sa_handler = [](int signal) {
      if (signal != SIGCHLD) stop_signal = signal;
    };
    sigemptyset(&action.sa_mask);
    sigset_t caught;
    sigemptyset(&caught);
    for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) {
      sigaction(signal, &action, nullptr);
      sigaddset(&caught, signal);
    }
    sigprocmask(SIG_BLOCK, &caught, &usual_mask_);
    for (const int signal : {SIGTERM, SIGINT, SIGCHLD}) sigdelset(&usual_mask_, signal);
  }

  [[noreturn]] void Become(const std::vector<std::string>& arguments) const {
    setpgid(0, 0);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing else would end it if we are killed
#endif
    const int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) dup2(nothing, STDIN_FILENO);
    if (nothing > STDIN_FILENO) close(nothing);
    sigprocmask(SIG_SETMASK, &usual_mask_, nullptr);
    if (!kill_rest_) RaiseDescriptorLimit();  // for a server; a build has the usual limit
    errno = Exec(arguments);
    _exit(Fail(arguments[0].c_str()));
  }

  static int Fail(const char* what) {
    std::fprintf(stderr, "load-generator supervise: %s: %s\n", what, std::strerror(errno));
    return kCannotRun;
  }

  /** @returns whether any child is left. */
  bool ReapAll() {
    for (;;) {
      int status = 0;
      const pid_t child = waitpid(-1, &status, WNOHANG);
      if (child == 0) return true;
      if (child < 0) return false;  // ECHILD
      if (child != command_) continue;
      status_ = status;
      reaped_ = true;
      if (kill_rest_) killing_ = true;
#ifndef __linux__
      killpg(command_, SIGKILL);  // what the command leaves behind is no child of ours
#endif
    }
  }

  /** Whether the time to kill the processes that are left is over. */
  bool GivesUp() {
    const int64_t now_ns = MonotonicNs();
    if (give_up_ns_ == 0) give_up_ns_ = now_ns + kGiveUpAfterNs;
    return now_ns >= give_up_ns_;
  }

  /** Until a signal, the end of the lifeline, or, while killing, a moment has passed. */
  void Wait() {
    fd_set watched;
    FD_ZERO(&watched);
    if (!killing_) FD_SET(STDIN_FILENO, &watched);
    const timespec* timeout = killing_ ? &kLookAgain : nullptr;
    const int ready = pselect(STDIN_FILENO + 1, &watched, nullptr, nullptr, timeout, &usual_mask_);
    if (ready < 0 && errno != EINTR) killing_ = true;  // there is no lifeline
    if (ready <= 0) return;
    char ignored[64];
    if (read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0) killing_ = true;
  }

#ifdef __linux__
  /**
   * Every child of ours, and the command's process group while one of them is in it: a group that
   * has ended may have given its number away. A child that is killed leaves its own children to us
   * before it can be reaped, so that killing until there is none reaches all.
   */
  void SignalAll(int signal) const {
    const std::vector<pid_t> children = OwnChildren();
    bool in_group = children.empty();  // a kernel that does not list them: there is one
    for (const pid_t child : children) {
      if (getpgid(child) != command_)
        kill(child, signal);
      else
        in_group = true;
    }
    if (in_group) killpg(command_, signal);
  }
#else
  void SignalAll(int signal) const { killpg(command_, signal); }
#endif

  int EndAsTheCommand() const {
    if (!WIFSIGNALED(status_)) return WEXITSTATUS(status_);
    const rlimit no_core{};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(WTERMSIG(status_), SIG_DFL);
    sigprocmask(SIG_SETMASK, &usual_mask_, nullptr);
    raise(WTERMSIG(status_));
    return kCannotRun;
  }

  const bool kill_rest_;
  pid_t command_ = 0;
  int status_ = 0;
  bool reaped_ = false;
  bool killing_ = false;
  int64_t give_up_ns_ = 0;
  sigset_t usual_mask_{};
};

}  // namespace

int Supervise(const std::vector<std::string>& arguments) {
  const bool kill_rest = !arguments.empty() && arguments[0] == "--kill-rest";
  const size_t end = kill_rest ? 1 : 0;
  if (arguments.size() < end + 2 || arguments[end] != "--") {
    std::fprintf(stderr,
                 "load-generator supervise: usage: supervise [--kill-rest] -- COMMAND "
                 "[ARGUMENTS]\n");
    return 2;
  }
  Supervisor supervisor(kill_rest);
  const auto command = arguments.begin() + static_cast<std::ptrdiff_t>(end) + 1;
  return supervisor.Run({command, arguments.end()});
}

}  // namespace io_selectors
