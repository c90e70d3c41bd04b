// What every strategy is given: the listener, the stop signal, the options and the counters it
// fills. Enters: options of the command line. Leaves: counters.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/owned_fd.h"
#include "core/stop_signal.h"
#include "net/socket.h"

namespace io_selectors {

/** The same for every strategy, and for the TypeScript contenders (bench/contenders/settings.ts).
 */
constexpr int kReadBufferBytes = 16 * 1024;
constexpr int kEventsPerWait = 256;
constexpr int kAcceptsPerWake = 256;

/** How long accepting pauses where there is no descriptor, process or memory for a connection, and
 * nothing closes meanwhile. */
constexpr int64_t kAcceptPauseNs = 100'000'000;

/** Connections open now and the most there were, over all processes that serve together. Lies in
 * memory that they share. */
struct OpenGauge {
  std::atomic<uint64_t> open{0};
  std::atomic<uint64_t> peak{0};

  void Add() {
    const uint64_t now = open.fetch_add(1, std::memory_order_relaxed) + 1;
    uint64_t before = peak.load(std::memory_order_relaxed);
    while (before < now && !peak.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
    }
  }
  void Remove(uint64_t count) { open.fetch_sub(count, std::memory_order_relaxed); }
};

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
  OpenGauge* gauge = nullptr;  // where several processes have counters of their own

  void CountAccepted() {
    ++connections_accepted;
    const uint64_t open = connections_accepted - connections_closed;
    if (open > peak_connections) peak_connections = open;
    if (gauge != nullptr) gauge->Add();
  }
  void CountClosed() {
    ++connections_closed;
    if (gauge != nullptr) gauge->Remove(1);
  }
  /** Adds what another thread or process has counted; whoever accepts counts the connections. */
  void AddCalls(const Counters& other) {
    recv_calls += other.recv_calls;
    send_calls += other.send_calls;
    bytes_received += other.bytes_received;
    bytes_sent += other.bytes_sent;
  }
};

struct Server {
  OwnedFd listener;
  ListenOptions listen;  // of that listener, its port filled in
  int workers = 0;       // processes to serve with; 0: as many as there are CPUs to run on
  StopSignal stop;
  Counters& counters;
  // What the io_uring strategy does without; names of IsIoUringFeature().
  std::vector<std::string_view> without = {};
};

}  // namespace io_selectors
