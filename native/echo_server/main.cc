// echo-server: the native contenders as one small executable. It prints a ready line, serves until
// SIGTERM or SIGINT, then prints a line of counters: two JSON lines on standard output.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/memory.h"
#include "echo_server/report.h"
#include "echo_server/strategies.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr int kExitUsage = 2;
constexpr int kExitFailure = 1;
/** The machine refuses what the strategy needs. EX_UNAVAILABLE of sysexits(3) */
constexpr int kExitUnavailable = 69;

constexpr long kLargestPort = 65'535;
constexpr long kMostWorkers = 4'096;
constexpr long kMostBlocking = 1 << 20;  // milliseconds, and bytes of a message

struct Arguments {
  const Strategy* strategy = nullptr;
  ListenOptions listen;
  std::vector<std::string_view> without;
  int workers = 0;
  Blocking blocking;
};

const Strategy* FindStrategy(std::string_view name) {
  for (const Strategy& strategy : Strategies()) {
    if (strategy.name == name) return &strategy;
  }
  return nullptr;
}

int Usage(const char* problem, const char* subject) {
  std::fprintf(
      stderr,
      "echo-server: %s \"%s\"; usage: echo-server --strategy NAME [--host ADDRESS] "
      "[--port N] [--workers N] [--without FEATURE,…] [--block-ms MS] [--block-below BYTE] "
      "[--message-bytes N]; strategies:",
      problem, subject);
  for (const Strategy& strategy : Strategies()) {
    std::fprintf(stderr, " %.*s", static_cast<int>(strategy.name.size()), strategy.name.data());
  }
  std::fprintf(stderr, "\n");
  return kExitUsage;
}

bool ParseNumber(const char* text, long low, long high, long* number) {
  char* end = nullptr;
  *number = std::strtol(text, &end, 10);
  return end != text && *end == '\0' && *number >= low && *number <= high;
}

/** To measure what a feature of the kernel is worth. @returns 0, or the exit code. */
int SetWithout(const char* value, Arguments* arguments) {
  std::string_view rest = value;
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find(','));
#ifdef __linux__
    if (!IsIoUringFeature(name)) return Usage("unknown feature in", value);
#else
    return Usage("Linux only:", value);
#endif
    arguments->without.push_back(name);
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  return 0;
}

bool IsBlockingOption(std::string_view name) {
  return name == "--block-ms" || name == "--block-below" || name == "--message-bytes";
}

/** @returns 0, or the exit code. */
int SetBlocking(std::string_view name, const char* value, Blocking* blocking) {
  long number = 0;
  if (!ParseNumber(value, 1, kMostBlocking, &number)) return Usage("not a count", value);
  if (name == "--block-ms") blocking->ms = number;
  if (name == "--block-below") blocking->below = number;
  if (name == "--message-bytes") blocking->message_bytes = number;
  return 0;
}

/** @returns 0, or the exit code after it has said what is wrong. */
int SetOption(const char* name, const char* value, Arguments* arguments) {
  const std::string_view option = name;
  const bool known = option == "--strategy" || option == "--host" || option == "--port" ||
                     option == "--workers" || option == "--without" || IsBlockingOption(option);
  if (!known) return Usage("unknown option", name);
  if (value == nullptr) return Usage("no value for", name);
  if (option == "--without") return SetWithout(value, arguments);
  if (IsBlockingOption(option)) return SetBlocking(option, value, &arguments->blocking);
  long number = 0;
  if (option == "--host") arguments->listen.host = value;
  if (option == "--port") {
    if (!ParseNumber(value, 0, kLargestPort, &number)) return Usage("not a port", value);
    arguments->listen.port = static_cast<uint16_t>(number);
  }
  if (option == "--workers") {
    if (!ParseNumber(value, 1, kMostWorkers, &number)) return Usage("not a count", value);
    arguments->workers = static_cast<int>(number);
  }
  if (option == "--strategy") {
    arguments->strategy = FindStrategy(value);
    if (arguments->strategy == nullptr) return Usage("unknown strategy", value);
  }
  return 0;
}

int ParseArguments(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; i += 2) {
    const int usage = SetOption(argv[i], i + 1 < argc ? argv[i + 1] : nullptr, arguments);
    if (usage != 0) return usage;
  }
  return arguments->strategy == nullptr ? Usage("missing option", "--strategy") : 0;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "echo-server: %s: %s\n", error.syscall, std::strerror(error.errno_value));
  return std::string_view(error.syscall) == "io_uring_setup" ? kExitUnavailable : kExitFailure;
}

int Main(int argc, char** argv) {
  KeepMemoryReserve();
  Arguments arguments;
  const int usage = ParseArguments(argc, argv, &arguments);
  if (usage != 0 || arguments.strategy == nullptr) return usage;

  Result<StopSignal> stop = StopSignal::Install();
  if (!stop.ok()) return Fail(stop.error());
  arguments.listen.reuse_port = arguments.strategy->listens_by_worker;
  Result<OwnedFd> listener = ListenTcp(arguments.listen);
  if (!listener.ok()) return Fail(listener.error());
  const Result<uint16_t> port = LocalPort(listener.value().get());
  if (!port.ok()) return Fail(port.error());
  arguments.listen.port = port.value();

  static AllCounters counters;  // until the last signal
  const Result<void> snapshots = InstallSnapshots(counters);
  if (!snapshots.ok()) return Fail(snapshots.error());
  Server server{std::move(listener.value()), arguments.listen,  arguments.workers,
                std::move(stop.value()),     counters.own(),    counters,
                arguments.without,           arguments.blocking};
  const Result<void> served = arguments.strategy->run(server);
  PrintCounters(counters.Sum());
  return served.ok() ? 0 : Fail(served.error());
}

}  // namespace

}  // namespace io_selectors

int main(int argc, char** argv) { return io_selectors::Main(argc, argv); }
