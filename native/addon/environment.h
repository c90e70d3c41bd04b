// The addon's state, one per Node environment, so that each worker has its own selectors.
#pragma once

#include <node_api.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "addon/host.h"
#include "addon/hosted_source.h"
#include "addon/open_engine.h"
#include "addon/opened_descriptors.h"
#include "addon/selector_table.h"
#include "addon/signal_source.h"
#include "addon/waker.h"
#include "addon/watch.h"
#include "core/owned_fd.h"
#include "core/ready_event.h"
#include "core/selector.h"

namespace io_selectors {

/** The ring's head, four int32 before the first event: [0] is whether the wait was woken,
 * [1] what TypeScript wishes of a HostedRun. */
constexpr int kRingHeadEvents = 1;
constexpr int32_t kEndedByWaker = 1;  // a Waker ended the wait

/** Whether fileno() of any selector was called, so that sets may contain each other. Of the whole
 * process: other threads can be told the number. */
inline std::atomic<bool> sets_may_nest{false};

/** A selector, and the ring that TypeScript allocated for it: pinned by `ring_reference` while
 * `ring` is held here. */
struct OpenSelector final : public HostedSource {
  ~OpenSelector() override {
    Detach();
    if (waker != nullptr) waker->Close();
  }

  int fileno() const override { return selector->fileno(); }
  int32_t renewals() const override { return selector->renewals(); }
  void PrepareToBeWatched() override { selector->PrepareToBeWatched(); }
  std::vector<pollfd> Watched() const override { return selector->Watched(); }
  bool ReportsHangupsOfWriters() const override {
    return selector->capabilities().hangups_of_writers;
  }
  bool Woken() const override { return selector->Woken(); }
  Result<int> Wait(int64_t timeout_ns) override {
    return selector->Select(ring + kRingHeadEvents, capacity, timeout_ns);
  }

  /** An asynchronous wait that is under way has to see what changed. */
  void TellWatch() {
    if (watch != nullptr) watch->Changed();
    KeepReadable();
  }
  /** Another set may contain fileno(), which is readable only for what was submitted. */
  void KeepReadable() {
    if (shows_fileno) PrepareToBeWatched();
  }

  std::unique_ptr<Selector> selector;
  std::shared_ptr<Waker> waker;
  /** The pass of Node's loop in which the last wait without a deadline brought events although the
   * loop had work: the next one ends empty. Of this selector, so that the first wait on another one
   * reports what is ready. */
  int64_t owes_turn_in = -1;
  bool shows_fileno = false;  // the program knows its descriptor
  int64_t host_pass = -1;     // of the loop, in which a blocking wait last watched it
  int looks_in_row = 0;       // that each brought events; see LookOnce
  napi_ref ring_reference = nullptr;
  ReadyEvent* ring = nullptr;
  int capacity = 0;
};

/** A Uint8Array that TypeScript keeps, and passes by its place here. TypeScript checks before each
 * call that its length is unchanged: a detached array has none. */
struct LentBytes {
  uint8_t* data = nullptr;
  int32_t length = 0;
};

/** Which way lent bytes go; the places of Environment::lent. */
constexpr int kReceiving = 0;
constexpr int kSending = 1;

/** Arguments and answer of a call that has no others: src/lending.ts. */
struct Frame {
  int32_t fd;
  int32_t offset;
  int32_t length;
  int32_t answer;
};

struct Environment {
  explicit Environment(uv_loop_t* node_loop) : opened(node_loop), loop(node_loop) {}

  OpenedDescriptors opened;  // before the selectors, which end first
  SelectorTable selectors;
  std::vector<std::unique_ptr<OpenEngine>> engines;  // by id
  uv_loop_t* loop;
  Host* host = nullptr;        // frees itself
  napi_ref nothing = nullptr;  // a function that does nothing: see LeavesNow()
  std::unordered_map<int, std::unique_ptr<SignalSource>> signals;  // by the caller's descriptor
  const char* failed_syscall = "";
  Frame* frame = nullptr;  // TypeScript's, pinned for the environment's life
  LentBytes lent[2];

  OpenSelector* Find(int32_t id) { return selectors.Find(id); }

  template <typename Visitor>
  void ForEachSource(Visitor visit) const {
    selectors.ForEach(visit);
    for (const auto& engine : engines) {
      if (engine != nullptr) visit(*engine);
    }
  }

  bool WatchesHost() const {
    bool watches = false;
    ForEachSource(
        [&](HostedSource& source) { watches = watches || source.wake_set.watches_host(); });
    return watches;
  }

  /** No source watches Node's loop from now on, until its next wait: one may be in another. */
  void LeaveHost() {
    ForEachSource([](HostedSource& source) { source.wake_set.LeaveHost(); });
  }

  /** Before a source watches Node's loop: what the loop is to watch is in its set from now on. */
  void AddArmedWatches() {
    ForEachSource([](HostedSource& source) {
      if (source.watch != nullptr) source.watch->BeAdded();
    });
  }

  /** Gives a descriptor to JavaScript, which closes it; the environment's end does otherwise. */
  int32_t GiveOut(OwnedFd fd) {
    opened.Add(fd.get());
    return fd.Release();
  }

  OpenEngine* FindEngine(int32_t id) {
    return id >= 0 && static_cast<size_t>(id) < engines.size()
               ? engines[static_cast<size_t>(id)].get()
               : nullptr;
  }

  /** Made when it is first needed. */
  Host& HostOf(napi_env env) {
    if (host == nullptr) host = Host::Make(env, loop);
    return *host;
  }

  /** Remembers which call refused and gives TypeScript its -errno. */
  int32_t Refuse(const Error& error) {
    failed_syscall = error.syscall;
    return -error.errno_value;
  }
};

}  // namespace io_selectors
