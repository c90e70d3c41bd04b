#include "echo_server/blocking.h"

#include <ctime>

#include "core/stop_signal.h"

namespace io_selectors {

namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr int64_t kNsPerMillisecond = 1'000'000;

}  // namespace

int64_t BlockingCalls::CountIn(int connection, const char* data, size_t length) {
  const size_t whole = static_cast<size_t>(blocking_.message_bytes);
  size_t& received = bytes_of_[connection];
  int64_t found = 0;
  for (size_t at = received == 0 ? 0 : whole - received; at < length; at += whole) {
    if (static_cast<unsigned char>(data[at]) < blocking_.below) ++found;
  }
  received = (received + length) % whole;
  return found;
}

/** A signal that does not stop the server, such as one that asks for its counters, is no end. */
void BlockingCalls::Sleep(int64_t calls) const {
  const int64_t ms = blocking_.ms * calls;
  timespec left = {static_cast<time_t>(ms / kMsPerSecond),
                   static_cast<long>(ms % kMsPerSecond * kNsPerMillisecond)};
  if (ms == 0) return;
  while (nanosleep(&left, &left) < 0 && !StopSignal::Raised()) {
  }
}

}  // namespace io_selectors
