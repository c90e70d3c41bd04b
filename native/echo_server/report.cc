#include "echo_server/report.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace io_selectors {

void AnnounceReady(const Server& server) {
  std::printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d}\n", server.listen.port,
              static_cast<int>(getpid()));
  // Also because a child process would print again what it inherits in the buffer.
  std::fflush(stdout);
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

void SayOnce(bool* said, const char* call, int error) {
  if (*said) return;
  *said = true;
  std::fprintf(stderr, "echo-server: %s: %s: accepting pauses until there is room\n", call,
               std::strerror(error));
}

}  // namespace io_selectors
