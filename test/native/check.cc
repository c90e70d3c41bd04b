// Runs the cases one after another, each between two looks at the open descriptors: see check.h.

#include "native/check.h"

#include <dirent.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "native/fixtures.h"

namespace io_selectors {

namespace {

struct Case {
  std::string name;
  std::function<void()> run;
};

std::vector<Case>& Cases() {
  static std::vector<Case> cases;
  return cases;
}

const Case* running = nullptr;
std::atomic<int> failures_of_case{0};  // threads of a case check, too

/** Every open descriptor of this process, and what it names. */
std::map<int, std::string> OpenDescriptors() {
  std::map<int, std::string> open;
  DIR* folder = opendir("/dev/fd");
  if (folder == nullptr) return open;
  while (const dirent* entry = readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(folder)) continue;
    char target[256] = "";
    const std::string path = "/dev/fd/" + std::string(entry->d_name);
    if (readlink(path.c_str(), target, sizeof(target) - 1) < 0) target[0] = '\0';
    open[fd] = target;
  }
  closedir(folder);
  return open;
}

#ifdef IO_SELECTORS_LIBKQUEUE
/** libkqueue closes what a queue had open in a thread of its own, some time later. */
constexpr bool kClosesAtOnce = false;
#else
constexpr bool kClosesAtOnce = true;
#endif

void CheckDescriptors(const std::map<int, std::string>& before) {
  if (!kClosesAtOnce) return;
  const std::map<int, std::string> after = OpenDescriptors();
  for (const auto& [fd, what] : after) {
    if (before.count(fd) != 0) continue;
    Fail(__FILE__, __LINE__, "left descriptor " + std::to_string(fd) + " open: " + what);
  }
  for (const auto& [fd, what] : before) {
    if (after.count(fd) != 0) continue;
    Fail(__FILE__, __LINE__, "closed descriptor " + std::to_string(fd) + ", not its own: " + what);
  }
}

/** @returns whether it passed. */
bool RunOne(const Case& one) {
  running = &one;
  failures_of_case = 0;
  const std::map<int, std::string> before = OpenDescriptors();
  one.run();
  CheckDescriptors(before);
  running = nullptr;
  return failures_of_case == 0;
}

bool IsWanted(const Case& one, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (one.name.find(argv[i]) != std::string::npos) return true;
  }
  return argc == 1;
}

/** Runs the cases whose names contain one of the arguments; all if there are none. */
int RunCases(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  // So that a fork copies no text that is still to be written.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  PrintMissingBackends();
  const std::map<int, std::string> at_start = OpenDescriptors();
  int passed = 0;
  int failed = 0;
  for (const Case& one : Cases()) {
    if (IsWanted(one, argc, argv)) ++(RunOne(one) ? passed : failed);
  }
  const bool flat = !kClosesAtOnce || OpenDescriptors() == at_start;
  if (!flat) std::printf("descriptors: not the same at the end as at the start\n");
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 && flat ? 0 : 1;
}

}  // namespace

bool Enlist(std::string name, std::function<void()> run) {
  Cases().push_back(Case{std::move(name), std::move(run)});
  return true;
}

void Fail(const char* file, int line, const std::string& what) {
  ++failures_of_case;
  std::printf("%s: %s:%d: %s\n", running == nullptr ? "" : running->name.c_str(), file, line,
              what.c_str());
  std::fflush(stdout);
}

int FailuresOfCase() { return failures_of_case; }

}  // namespace io_selectors

int main(int argc, char** argv) { return io_selectors::RunCases(argc, argv); }
