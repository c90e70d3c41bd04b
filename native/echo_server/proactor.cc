// One thread over the library's engine of connections, which reports completions: over readiness
// (proactor-epoll), or over the kernel's completions (io_uring). Schmidt's Proactor.
#ifdef __linux__

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "echo_server/report.h"
#include "echo_server/strategies.h"
#include "proactor/io_uring_engine.h"
#include "proactor/readiness_engine.h"

namespace io_selectors {

namespace {

/** Memory of the rings, which the library's TypeScript allocates otherwise. */
struct RingMemory {
  RingMemory()
      : completions(kRingCompletions),
        submissions(kRingSubmissions),
        inbound(kInboundBytes),
        outbound(1) {
    rings.head = &head;
    rings.completions = completions.data();
    rings.completion_capacity = kRingCompletions;
    rings.submissions = submissions.data();
    rings.submission_capacity = kRingSubmissions;
    rings.inbound = inbound.data();
    rings.inbound_bytes = inbound.size();
    rings.outbound = outbound.data();
    rings.outbound_bytes = outbound.size();
  }

  RingHead head{};
  std::vector<RingCompletion> completions;
  std::vector<RingSubmission> submissions;
  std::vector<uint8_t> inbound;
  std::vector<uint8_t> outbound;
  Rings rings;
};

class ProactorServer {
 public:
  ProactorServer(Server& server, Engine& engine, const Rings& rings)
      : server_(server), engine_(engine), rings_(rings), blocking_(server.blocking) {}

  Result<void> Run() {
    const Result<void> done = engine_.SetWakeFd(server_.stop.fd());
    if (!done.ok()) return done;
    const Result<int32_t> listening = engine_.Listen(server_.listener.get(), {});
    if (!listening.ok()) return listening.error();
    (void)server_.listener.Release();  // the engine's from now on
    server_.all_counters.RefreshWith(
        [](void* server) { static_cast<ProactorServer*>(server)->CountCalls(); }, this);
    const Result<void> served = ServeUntilStopped();
    CountCalls();
    server_.all_counters.RefreshWith(nullptr, nullptr);
    return served;
  }

 private:
  Result<void> ServeUntilStopped() {
    AnnounceReady(server_);
    while (!StopSignal::Raised()) {
      const Result<int> count = engine_.Turn(engine_.UntilDueNs());
      if (!count.ok()) {
        if (count.error().errno_value == EINTR) continue;  // the stop signal; the flag says so
        return count.error();
      }
      for (int i = 0; i < count.value(); ++i) OnCompletion(rings_.completions[i]);
    }
    engine_.CloseAll();
    while (server_.counters.connections_closed < server_.counters.connections_accepted) {
      server_.counters.CountClosed();
    }
    return {};
  }

  void OnCompletion(const RingCompletion& completion) {
    switch (completion.label.kind()) {
      case CompletionKind::kData:
        if (blocking_.enabled()) Block(completion);
        return Submit(completion, SubmissionKind::kWriteInbound);
      case CompletionKind::kAccepted:
        return server_.counters.CountAccepted();
      case CompletionKind::kEnd:
        return Submit(completion, SubmissionKind::kEnd);
      case CompletionKind::kQueued: {
        // As every server here: nothing more is read while something is kept.
        const bool empty = completion.offset == 0 && completion.length == 0;
        return Submit(completion, empty ? SubmissionKind::kResume : SubmissionKind::kPause);
      }
      case CompletionKind::kClosed:
        if (blocking_.enabled()) blocking_.Forget(static_cast<int>(completion.slot));
        return server_.counters.CountClosed();
      case CompletionKind::kIdle:
        return;
    }
  }

  /** Asks that of the connection that the completion is of; a write sends what it names. */
  void Submit(const RingCompletion& completion, SubmissionKind kind) {
    if (rings_.head->submissions == rings_.submission_capacity) engine_.Flush();
    rings_.submissions[rings_.head->submissions++] = {
        completion.slot, {kind, completion.label.life()}, completion.offset, completion.length};
  }

  void Block(const RingCompletion& completion) {
    const auto* data = reinterpret_cast<const char*>(rings_.inbound) + completion.offset;
    blocking_.Run(static_cast<int>(completion.slot), data, completion.length);
  }

  void CountCalls() {
    const EngineCounters& calls = engine_.counters();
    Counters& counters = server_.counters;
    counters.wait_calls = calls.wait_calls;
    counters.events_returned = calls.events_returned;
    counters.recv_calls = calls.receive_calls;
    counters.send_calls = calls.send_calls;
    counters.accept_calls = calls.accept_calls;
    counters.control_calls = calls.control_calls;
    counters.bytes_received = calls.bytes_received;
    counters.bytes_sent = calls.bytes_sent;
  }

  Server& server_;
  Engine& engine_;
  const Rings& rings_;
  BlockingCalls blocking_;
};

Result<void> Serve(Server& server, Result<std::unique_ptr<Engine>> engine, const Rings& rings) {
  if (!engine.ok()) return engine.error();
  return ProactorServer(server, *engine.value(), rings).Run();
}

/** Parts of IoUringFeatures by the names of --without. */
struct Feature {
  std::string_view name;
  bool IoUringFeatures::* part;
};
constexpr Feature kFeatures[] = {
    {"deferred-completion", &IoUringFeatures::deferred},
    {"registered-ring", &IoUringFeatures::registered_ring},
    {"no-order-array", &IoUringFeatures::no_order_array},
    {"skipped-success", &IoUringFeatures::skip_success},
    {"counted-sends", &IoUringFeatures::counts_sends},
    {"incremental-buffers", &IoUringFeatures::incremental},
};

}  // namespace

Result<void> RunProactor(Server& server) {
  const auto memory = std::make_unique<RingMemory>();
  return Serve(server, MakeReadinessEngine(memory->rings, "epoll"), memory->rings);
}

bool IsIoUringFeature(std::string_view name) {
  const auto is_it = [name](const Feature& feature) { return feature.name == name; };
  return std::any_of(std::begin(kFeatures), std::end(kFeatures), is_it);
}

Result<void> RunIoUring(Server& server) {
  IoUringFeatures features;
  for (const Feature& feature : kFeatures) {
    const auto& without = server.without;
    const bool off = std::find(without.begin(), without.end(), feature.name) != without.end();
    features.*feature.part = !off;
  }
  const auto memory = std::make_unique<RingMemory>();
  return Serve(server, MakeIoUringEngine(memory->rings, features), memory->rings);
}

}  // namespace io_selectors

#endif  // __linux__
