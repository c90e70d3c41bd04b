#include "load_generator/descendants.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>

#include "core/timeout.h"
#include "load_generator/proc_file.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace io_selectors {

namespace {

/** A list of children may miss one while others end: it is read again after this long. */
constexpr timespec kLookAgain = {0, 10'000'000};

/** A million sockets take seconds to close; a process that became root cannot be killed (EPERM). */
constexpr int64_t kGiveUpAfterNs = 30 * kNsPerSecond;

}  // namespace

void AdoptOrphans() {
#ifdef __linux__
  prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

std::vector<pid_t> OwnChildren() {
  std::vector<pid_t> children;
  const std::string text = ProcFile::OfThread(getpid(), getpid(), "children").ReadAll();
  const char* at = text.c_str();
  for (char* next = nullptr;; at = next) {
    const auto child = static_cast<pid_t>(std::strtol(at, &next, 10));
    if (next == at) return children;
    children.push_back(child);
  }
}

void KillDescendants(const std::vector<pid_t>& known) {
  for (const pid_t child : known) kill(child, SIGKILL);
  const int64_t give_up_ns = MonotonicNs() + kGiveUpAfterNs;
  while (MonotonicNs() < give_up_ns) {
    for (const pid_t child : OwnChildren()) kill(child, SIGKILL);
    pid_t ended;
    do {
      ended = waitpid(-1, nullptr, WNOHANG);
    } while (ended > 0);
    if (ended < 0) return;  // ECHILD
    nanosleep(&kLookAgain, nullptr);
  }
}

}  // namespace io_selectors
