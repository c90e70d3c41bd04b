#include "load_generator/launch.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "load_generator/exec.h"
#include "load_generator/limits.h"
#include "load_generator/options.h"
#include "load_generator/text.h"

#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#endif

namespace io_selectors {

namespace {

constexpr int kLargestCpu = 1023;     // CPU_SETSIZE - 1 of sched.h
constexpr int kLargestPid = 1 << 22;  // PID_MAX_LIMIT of proc_sys_kernel(5)

struct LaunchOptions {
  int64_t cpu = -1;     // -1: any
  int64_t parent = -1;  // -1: the parent at the time of the check
  std::string group;    // a folder of cgroups(7); "": that of the starter
  std::vector<std::string> command;
  std::string error;
};

LaunchOptions ParseLaunchOptions(const std::vector<std::string>& arguments) {
  LaunchOptions options;
  size_t i = 0;
  while (i < arguments.size() && arguments[i] != "--") {
    const bool is_cpu = arguments[i] == "--cpu";
    const std::string value = i + 1 < arguments.size() ? arguments[i + 1] : "";
    if (arguments[i] == "--cgroup") {
      options.group = value;
      i += 2;
      continue;
    }
    if (!is_cpu && arguments[i] != "--parent") {
      options.error =
          Format("unknown option \"%s\"; one of: --cpu --parent --cgroup", arguments[i].c_str());
      return options;
    }
    int64_t* target = is_cpu ? &options.cpu : &options.parent;
    if (!ParseNumber(value, 0, is_cpu ? kLargestCpu : kLargestPid, target)) {
      options.error = Format("%s: \"%s\" is not a %s", arguments[i].c_str(), value.c_str(),
                             is_cpu ? "CPU's number" : "process id");
      return options;
    }
    i += 2;
  }
  for (++i; i < arguments.size(); ++i) options.command.push_back(arguments[i]);
  if (options.command.empty()) options.error = "-- COMMAND is missing";
  return options;
}

/** All that this process starts will be in the group as well. 0 means the writer. cgroups(7) */
bool Join(const std::string& group) {
  const int fd = open((group + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool joined = write(fd, "0", 1) == 1;
  const int saved = errno;
  close(fd);
  errno = saved;
  return joined;
}

#ifdef __linux__

bool PinTo(int64_t cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<size_t>(cpu), &cpus);
  return sched_setaffinity(0, sizeof(cpus), &cpus) == 0;
}

/** The kernel ends us when our parent does, and what we become after exec as well. */
void DieWithParent(int64_t given) {
  const pid_t parent = given >= 0 ? static_cast<pid_t>(given) : getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before that call, and then no signal will ever come.
  if (getppid() != parent) _exit(128 + SIGKILL);
}

#else

// No such system calls: the server shares the CPUs, and its starter has to end it.
bool PinTo(int64_t /*cpu*/) { return true; }
void DieWithParent(int64_t /*given*/) {}

#endif

}  // namespace

int Launch(const std::vector<std::string>& arguments) {
  const LaunchOptions options = ParseLaunchOptions(arguments);
  if (!options.error.empty()) {
    std::fprintf(stderr, "load-generator launch: %s\n", options.error.c_str());
    return 2;
  }
  DieWithParent(options.parent);
  if (options.cpu >= 0 && !PinTo(options.cpu)) {
    std::fprintf(stderr, "load-generator launch: --cpu %lld: %s\n",
                 static_cast<long long>(options.cpu), std::strerror(errno));
    return 2;
  }
  if (!options.group.empty() && !Join(options.group)) {
    std::fprintf(stderr, "load-generator launch: --cgroup %s: %s\n", options.group.c_str(),
                 std::strerror(errno));
    return 2;
  }
  RaiseDescriptorLimit();
  const int error = Exec(options.command);
  std::fprintf(stderr, "load-generator launch: %s: %s\n", options.command[0].c_str(),
               std::strerror(error));
  return 127;
}

}  // namespace io_selectors
