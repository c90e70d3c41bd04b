// What every strategy receives: the listener, the stop signal, the options, and the counters to
// fill.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/owned_fd.h"
#include "core/stop_signal.h"
#include "echo_server/blocking.h"
#include "net/socket.h"

namespace io_selectors {

/** The same for every strategy, and for the TypeScript contenders (bench/contenders/settings.ts).
 */
constexpr int kReadBufferBytes = 16 * 1024;
constexpr int kEventsPerWait = 256;
constexpr int kAcceptsPerWake = 256;

/** How long accepting pauses if there is no descriptor, process or memory for a connection, and
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

/**
 * A count that one thread writes and any other may read at any time, a signal handler included.
 * Costs what a plain integer does.
 */
class Count {
 public:
  Count(uint64_t value = 0) : value_(value) {}  // NOLINT: reads and is written like an integer
  Count(const Count& other) : value_(static_cast<uint64_t>(other)) {}
  Count& operator=(const Count& other) { return *this = static_cast<uint64_t>(other); }
  Count& operator=(uint64_t value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  Count& operator+=(uint64_t more) { return *this = *this + more; }
  Count& operator++() { return *this += 1; }
  operator uint64_t() const { return value_.load(std::memory_order_relaxed); }  // NOLINT

 private:
  std::atomic<uint64_t> value_;
};

static_assert(std::atomic<uint64_t>::is_always_lock_free, "a signal handler reads it");

/** Exact calls and bytes, so that system calls per message need no tracing. */
struct Counters {
  Count wait_calls;
  Count events_returned;
  Count recv_calls;
  Count send_calls;
  Count accept_calls;
  Count control_calls;  // that change what a set in the kernel watches: epoll_ctl(2)
  Count vain_looks;     // at a descriptor on which nothing could be done, by the kernel or by us
  Count bytes_received;
  Count bytes_sent;
  Count connections_accepted;
  Count connections_closed;
  Count peak_connections;
  OpenGauge* gauge = nullptr;  // if several processes have counters of their own

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
  /** Adds what another thread or process counts; the peak is of all together, so it is no sum. */
  void Add(const Counters& other) {
    wait_calls += other.wait_calls;
    events_returned += other.events_returned;
    recv_calls += other.recv_calls;
    send_calls += other.send_calls;
    accept_calls += other.accept_calls;
    control_calls += other.control_calls;
    vain_looks += other.vain_looks;
    bytes_received += other.bytes_received;
    bytes_sent += other.bytes_sent;
    connections_accepted += other.connections_accepted;
    connections_closed += other.connections_closed;
  }
};

/** What one thread or process of a server counts. It is never taken back: its next user counts on.
 */
struct CounterSlot {
  Counters counters;
  CounterSlot* next = nullptr;
};

/** All counters of a server: those of its first thread, and slots of the others. */
class AllCounters {
 public:
  Counters& own() { return own_; }

  /** The slot must outlive this. For the first thread only. */
  void Add(CounterSlot* slot) {
    slot->next = slots_.load(std::memory_order_relaxed);
    slots_.store(slot, std::memory_order_release);
  }

  /** For a server that counts elsewhere: called before each sum to bring `own()` up to date. */
  void RefreshWith(void (*refresh)(void* server), void* server) {
    // A signal handler on this thread may look in between.
    refresh_ = nullptr;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    server_ = server;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    refresh_ = refresh;
  }

  /** Safe in a signal handler. */
  Counters Sum() const {
    void (*const refresh)(void* server) = refresh_;
    if (refresh != nullptr) refresh(server_);
    Counters sum = own_;
    for (const CounterSlot* slot = slots_.load(std::memory_order_acquire); slot != nullptr;
         slot = slot->next) {
      sum.Add(slot->counters);
    }
    return sum;
  }

 private:
  Counters own_;
  void* server_ = nullptr;
  void (*volatile refresh_)(void* server) = nullptr;
  std::atomic<CounterSlot*> slots_{nullptr};
};

struct Server {
  OwnedFd listener;
  ListenOptions listen;  // of that listener, its port filled in
  int workers = 0;       // processes to serve with; 0: as many as there are CPUs to run on
  StopSignal stop;
  Counters& counters;  // of the thread that serves
  AllCounters& all_counters;
  // What the io_uring strategy does without; names of IsIoUringFeature().
  std::vector<std::string_view> without = {};
  Blocking blocking = {};
};

}  // namespace io_selectors
