// echo-server: the native contenders as one small executable. It prints a ready line, serves until
// SIGTERM or SIGINT, then prints a line of counters. Enters: --strategy. Leaves: two JSON lines on
// standard output, diagnostics on standard error.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "echo_server/strategies.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr int kExitUsage = 2;
constexpr int kExitFailure = 1;

struct Arguments {
  const Strategy* strategy = nullptr;
  ListenOptions listen;
};

const Strategy* FindStrategy(std::string_view name) {
  for (const Strategy& strategy : Strategies()) {
    if (strategy.name == name) return &strategy;
  }
  return nullptr;
}

int Usage(const char* problem, const char* subject) {
  std::fprintf(stderr,
               "echo-server: %s \"%s\"; usage: echo-server --strategy NAME [--host ADDRESS] "
               "[--port N]; strategies:",
               problem, subject);
  for (const Strategy& strategy : Strategies()) {
    std::fprintf(stderr, " %.*s", static_cast<int>(strategy.name.size()), strategy.name.data());
  }
  std::fprintf(stderr, "\n");
  return kExitUsage;
}

bool ParsePort(const char* text, uint16_t* port) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (end == text || *end != '\0' || value < 0 || value > 65535) return false;
  *port = static_cast<uint16_t>(value);
  return true;
}

/** @returns 0, or the exit code after it has said what is wrong. */
int ParseArguments(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (option != "--strategy" && option != "--host" && option != "--port") {
      return Usage("unknown option", argv[i]);
    }
    if (value == nullptr) return Usage("no value for", argv[i]);
    if (option == "--host") arguments->listen.host = value;
    if (option == "--port" && !ParsePort(value, &arguments->listen.port)) {
      return Usage("not a port", value);
    }
    if (option == "--strategy") {
      arguments->strategy = FindStrategy(value);
      if (arguments->strategy == nullptr) return Usage("unknown strategy", value);
    }
  }
  return arguments->strategy == nullptr ? Usage("missing option", "--strategy") : 0;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "echo-server: %s: %s\n", error.syscall, std::strerror(error.errno_value));
  return kExitFailure;
}

void PrintCounters(const Counters& counters) {
  const auto print = [](const char* name, uint64_t value) {
    std::printf(",\"%s\":%llu", name, static_cast<unsigned long long>(value));
  };
  std::printf("{\"event\":\"counters\"");
  print("waitCalls", counters.wait_calls);
  print("eventsReturned", counters.events_returned);
  print("recvCalls", counters.recv_calls);
  print("sendCalls", counters.send_calls);
  print("acceptCalls", counters.accept_calls);
  print("bytesReceived", counters.bytes_received);
  print("bytesSent", counters.bytes_sent);
  print("connectionsAccepted", counters.connections_accepted);
  print("connectionsClosed", counters.connections_closed);
  print("peakConnections", counters.peak_connections);
  std::printf("}\n");
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  Arguments arguments;
  const int usage = ParseArguments(argc, argv, &arguments);
  if (usage != 0 || arguments.strategy == nullptr) return usage;

  Result<StopSignal> stop = StopSignal::Install();
  if (!stop.ok()) return Fail(stop.error());
  Result<OwnedFd> listener = ListenTcp(arguments.listen);
  if (!listener.ok()) return Fail(listener.error());
  const Result<uint16_t> port = LocalPort(listener.value().get());
  if (!port.ok()) return Fail(port.error());

  Server server{std::move(listener.value()), std::move(stop.value()), Counters()};
  std::printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d}\n", port.value(),
              static_cast<int>(getpid()));
  std::fflush(stdout);
  const Result<void> served = arguments.strategy->run(server);
  PrintCounters(server.counters);
  return served.ok() ? 0 : Fail(served.error());
}

}  // namespace

}  // namespace io_selectors

int main(int argc, char** argv) { return io_selectors::Main(argc, argv); }
