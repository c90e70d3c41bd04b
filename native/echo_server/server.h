// What every strategy is given: the listener, the stop signal and the counters it fills.
#pragma once

#include <cstdint>

#include "core/owned_fd.h"
#include "core/stop_signal.h"

namespace io_selectors {

/** The same for every strategy, and for the TypeScript contenders (bench/contenders/settings.ts).
 */
constexpr int kReadBufferBytes = 16 * 1024;
constexpr int kEventsPerWait = 256;

/** Exact calls and bytes, so that system calls a message need no tracing. */
struct Counters {
  uint64_t wait_calls = 0;
  uint64_t events_returned = 0;
  uint64_t recv_calls = 0;
  uint64_t send_calls = 0;
  uint64_t accept_calls = 0;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_closed = 0;
  uint64_t peak_connections = 0;

  void CountAccepted() {
    ++connections_accepted;
    const uint64_t open = connections_accepted - connections_closed;
    if (open > peak_connections) peak_connections = open;
  }
  void AddCalls(const Counters& other) {
    recv_calls += other.recv_calls;
    send_calls += other.send_calls;
    bytes_received += other.bytes_received;
    bytes_sent += other.bytes_sent;
  }
};

struct Server {
  OwnedFd listener;
  StopSignal stop;
  Counters counters;
};

}  // namespace io_selectors
