#include "load_generator/pace.h"

#include <algorithm>

#include "core/timeout.h"

namespace io_selectors {

namespace {

constexpr int kSendsAtOnce = 16;

class SilentPace final : public Pace {
 public:
  int64_t NextDueNs() const override { return kNever; }
  void Send(Traffic& /*traffic*/) override {}
  void Shift(int64_t /*ns*/) override {}
  void End(int64_t /*at_ns*/) override {}
};

class OpenPace final : public Pace {
 public:
  OpenPace(const RunOptions& options, const Share& share) : schedule_(options, share) {}

  int64_t NextDueNs() const override {
    return schedule_.due_ns() < end_ns_ ? schedule_.due_ns() : kNever;
  }

  void Send(Traffic& traffic) override {
    for (int i = 0; i < kSendsAtOnce; ++i) {
      const int64_t now_ns = MonotonicNs();
      if (NextDueNs() > now_ns) return;
      const uint32_t id = traffic.targets()[schedule_.target()];
      traffic.Intend(id, schedule_.due_ns(), now_ns);
      // Not taken means intended but never sent: the window's figures show it.
      (void)traffic.Post(id, schedule_.due_ns());
      schedule_.Advance();
      traffic.Prefetch(traffic.targets()[schedule_.target()]);
    }
  }

  void Shift(int64_t ns) override { schedule_.Shift(ns); }
  void End(int64_t at_ns) override { end_ns_ = at_ns; }

  void Skip(Traffic& traffic) override {
    const int64_t now_ns = MonotonicNs();
    for (; schedule_.due_ns() < end_ns_; schedule_.Advance()) {
      traffic.Intend(traffic.targets()[schedule_.target()], schedule_.due_ns(), now_ns);
    }
  }

 private:
  Schedule schedule_;
  int64_t end_ns_ = kNever;
};

/** So many under way over all connections: the next one goes to the next connection in turn. */
class ClosedPace final : public Pace {
 public:
  explicit ClosedPace(int64_t in_flight) : in_flight_(in_flight) {}

  int64_t NextDueNs() const override { return kNever; }

  void Send(Traffic& traffic) override {
    const size_t targets = traffic.targets().size();
    size_t refused = 0;
    while (traffic.OutstandingByTurn() < in_flight_ && refused < targets) {
      const uint32_t id = traffic.targets()[turn_];
      turn_ = turn_ + 1 == targets ? 0 : turn_ + 1;
      const bool posted = traffic.Post(id, kWhenSent);
      if (posted) traffic.Intend(id);
      const bool counts = posted && traffic.table()[id].role != Role::kSlow;
      refused = counts ? 0 : refused + 1;
    }
  }

  void Shift(int64_t /*ns*/) override {}
  void End(int64_t /*at_ns*/) override { in_flight_ = 0; }

 private:
  int64_t in_flight_;
  size_t turn_ = 0;
};

/** As many as fit under way on every connection, which then answers each echo by itself. */
class PipelinedPace final : public Pace {
 public:
  PipelinedPace(const RunOptions& options, const Share& share)
      : depth_(static_cast<uint32_t>(options.depth)), left_(share.targets) {}

  int64_t NextDueNs() const override { return left_ > 0 ? 0 : kNever; }

  void Send(Traffic& traffic) override {
    for (int i = 0; i < kSendsAtOnce && left_ > 0; ++i) {
      const uint32_t id = traffic.targets()[--left_];
      traffic.Flood(id, depth_);
    }
  }

  void Shift(int64_t /*ns*/) override {}
  void End(int64_t /*at_ns*/) override { left_ = 0; }

 private:
  uint32_t depth_;
  uint32_t left_;  // connections that nothing was posted to yet
};

}  // namespace

std::unique_ptr<Pace> MakePace(const RunOptions& options, const Share& share) {
  if (!options.EchoLoad() || share.targets == 0) return std::make_unique<SilentPace>();
  if (options.mode == LoadMode::kOpen) return std::make_unique<OpenPace>(options, share);
  const Roles roles(options);
  if (options.depth > 0 && options.slow == 0 &&
      options.in_flight >= options.depth * roles.measured()) {
    return std::make_unique<PipelinedPace>(options, share);
  }
  return std::make_unique<ClosedPace>(share.in_flight);
}

}  // namespace io_selectors
