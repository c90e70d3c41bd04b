#include "echo_server/report.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace io_selectors {

namespace {

struct CounterField {
  const char* name;
  Count Counters::* field;
};

/** The names of bench/contenders/servers/counters.ts. */
constexpr CounterField kFields[] = {
    {"waitCalls", &Counters::wait_calls},
    {"eventsReturned", &Counters::events_returned},
    {"recvCalls", &Counters::recv_calls},
    {"sendCalls", &Counters::send_calls},
    {"acceptCalls", &Counters::accept_calls},
    {"controlCalls", &Counters::control_calls},
    {"vainLooks", &Counters::vain_looks},
    {"bytesReceived", &Counters::bytes_received},
    {"bytesSent", &Counters::bytes_sent},
    {"connectionsAccepted", &Counters::connections_accepted},
    {"connectionsClosed", &Counters::connections_closed},
    {"peakConnections", &Counters::peak_connections},
};

/** A line that is made and written without anything that a signal handler may not call. */
class Line {
 public:
  Line& Text(const char* text) {
    for (; *text != '\0' && size_ < sizeof(bytes_); ++text) bytes_[size_++] = *text;
    return *this;
  }

  Line& Number(uint64_t value) {
    char digits[21] = {};
    char* first = digits + sizeof(digits) - 1;
    do {
      *--first = static_cast<char>('0' + value % 10);
      value /= 10;
    } while (value > 0);
    return Text(first);
  }

  void Write() const {
    for (size_t at = 0; at < size_;) {
      const ssize_t written = write(STDOUT_FILENO, bytes_ + at, size_ - at);
      if (written < 0 && errno != EINTR) return;
      if (written > 0) at += static_cast<size_t>(written);
    }
  }

 private:
  char bytes_[1024];
  size_t size_ = 0;
};

void WriteCounters(const char* event, const Counters& counters) {
  Line line;
  line.Text("{\"event\":\"").Text(event).Text("\"");
  for (const CounterField& row : kFields) {
    line.Text(",\"").Text(row.name).Text("\":").Number(counters.*row.field);
  }
  line.Text("}\n").Write();
}

const AllCounters* all_counters = nullptr;

void OnSnapshotSignal(int /*signal*/) {
  const int saved = errno;
  WriteCounters("snapshot", all_counters->Sum());
  errno = saved;
}

}  // namespace

void AnnounceReady(const Server& server) {
  std::printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d,\"snapshots\":true}\n",
              server.listen.port, static_cast<int>(getpid()));
  // Also because a child process would print again what it inherits in the buffer.
  std::fflush(stdout);
}

void PrintCounters(const Counters& counters) { WriteCounters("counters", counters); }

Result<void> InstallSnapshots(const AllCounters& counters) {
  all_counters = &counters;
  struct sigaction action = {};
  action.sa_handler = OnSnapshotSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGUSR2, &action, nullptr) < 0) return LastError("sigaction");
  return {};
}

void SayOnce(bool* said, const char* call, int error) {
  if (*said) return;
  *said = true;
  std::fprintf(stderr, "echo-server: %s: %s: accepting pauses until there is room\n", call,
               std::strerror(error));
}

}  // namespace io_selectors
