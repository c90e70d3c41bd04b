// The load generator's traffic over a connection whose other end is played here: which window a
// message is counted in, and how many are in flight.

#include "load_generator/traffic.h"

#include <poll.h>
#include <sys/socket.h>

#include <memory>

#include "core/timeout.h"
#include "load_generator/window_command.h"
#include "native/fixtures.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr int64_t kPayload = 64;

RunOptions OpenLoop() {
  RunOptions options;
  options.payload_bytes = kPayload;
  options.rate = 1000;
  return options;
}

/** One connection, greeted and served; its far end echoes when it is told to. */
class Played {
 public:
  explicit Played(const RunOptions& options)
      : options_(options),
        selector_(MakeSelector(*BackendsHere().front())),
        windows_(std::make_unique<Window[]>(3)),
        traffic_(*selector_, options_, ShareOf(options_, 0, 1), &windows_[2]) {
    // TCP: the kernel notes no arrivals on Unix sockets.
    DescriptorPair pair = TcpPair();
    far_ = std::move(pair.second);
    Expect(SetNonBlocking(far_.get(), false));
    Expect(traffic_.Open(0, std::move(pair.first)));
    Expect(traffic_.Start(0));
    traffic_.Post(0, kWhenSent);
    Echo(1);
    traffic_.Serve(0);
  }

  Traffic& traffic() { return traffic_; }
  Window& window(int index) { return windows_[static_cast<size_t>(index)]; }

  void Send(int64_t due_ns) {
    traffic_.Intend(0, due_ns, MonotonicNs());
    CHECK(traffic_.Post(0, due_ns));
  }

  /** The far end answers so many messages, which are read at once. */
  void Echo(int messages) {
    Answer(messages);
    Read();
  }

  void Answer(int messages) {
    unsigned char bytes[kPayload];
    for (int i = 0; i < messages; ++i) {
      CHECK_EQ(Receive(far_.get(), bytes, sizeof(bytes)), kPayload);
      CHECK_EQ(io_selectors::Send(far_.get(), bytes, sizeof(bytes)), kPayload);
    }
  }

  /** The far end closes without having read everything: the near end is reset. */
  void Reset() {
    far_.Reset();
    pollfd near{traffic_.table()[0].fd, 0, 0};
    CHECK_EQ(poll(&near, 1, ToMilliseconds(kPatienceNs)), 1);
  }

  void Read() {
    const Result<int> waited = traffic_.Wait(kPatienceNs);
    traffic_.CompareClocks();
    CHECK(waited.ok());
    for (int i = 0; i < waited.value(); ++i) traffic_.Handle(0, traffic_.event(i));
  }

 private:
  static void Expect(const Result<void>& result) { CHECK(result.ok()); }

  RunOptions options_;
  std::unique_ptr<Selector> selector_;
  std::unique_ptr<Window[]> windows_;
  Traffic traffic_;
  OwnedFd far_;
};

/** Three digits of each value, rounded up. */
bool IsSum(int64_t exact, const Histogram& histogram) {
  const int64_t count = static_cast<int64_t>(histogram.Count());
  const int64_t least = histogram.Quantile(0) * count;
  return exact + exact / 500 >= least && exact <= histogram.Quantile(1) * count;
}

}  // namespace

TEST(InFlightIsLatencySummed) {
  Played played(OpenLoop());
  played.traffic().CountInto(&played.window(0), MonotonicNs());
  for (int i = 0; i < 5; ++i) {
    played.Send(MonotonicNs());
    played.Echo(1);
  }
  const Window& window = played.window(0);
  played.traffic().CountInto(nullptr, MonotonicNs());
  CHECK_EQ(window.completed, 5);
  CHECK_EQ(window.latency_uncorrected.Count(), uint64_t{5});
  CHECK(IsSum(window.in_flight_ns, window.latency_uncorrected));
}

TEST(InFlightCountsWhatIsNotBackYet) {
  Played played(OpenLoop());
  const int64_t began_ns = MonotonicNs();
  played.traffic().CountInto(&played.window(0), began_ns);
  played.Send(began_ns);
  const int64_t sent_ns = MonotonicNs();
  const int64_t edge_ns = sent_ns + 3 * kNsPerMs;
  while (MonotonicNs() < edge_ns) continue;
  played.traffic().CountInto(&played.window(1), edge_ns);
  CHECK(played.window(0).in_flight_ns >= edge_ns - sent_ns);
  CHECK(played.window(0).in_flight_ns <= edge_ns - began_ns);
  CHECK_EQ(played.window(0).completed, 0);
  played.Echo(1);
  const int64_t back_ns = MonotonicNs();
  while (MonotonicNs() < back_ns + 3 * kNsPerMs) continue;
  played.traffic().CountInto(nullptr, MonotonicNs());
  CHECK_EQ(played.window(1).completed, 1);
  CHECK(played.window(1).in_flight_ns > 0);
  CHECK(played.window(1).in_flight_ns <= back_ns - edge_ns);
}

TEST(WhatCameBeforeAnEdgeIsCountedBeforeIt) {
  RunOptions options = OpenLoop();
  Played played(options);
  const int64_t began_ns = MonotonicNs();
  played.traffic().CountInto(&played.window(0), began_ns);
  played.Send(began_ns);
  played.Answer(1);
  const int64_t answered_ns = MonotonicNs();
  // Not read until the edge is long past; the kernel has noted when it came, if it can.
  const int64_t edge_ns = answered_ns + 5 * kNsPerMs;
  while (MonotonicNs() < edge_ns) continue;
  played.traffic().CountInto(&played.window(1), edge_ns);
  played.Read();
  played.traffic().CountInto(nullptr, MonotonicNs());
  if (!played.traffic().stamped()) return;
  CHECK_EQ(played.window(0).completed, 1);
  CHECK_EQ(played.window(1).completed, 0);
  // Steps of the real-time clock between both readings are microseconds.
  CHECK(played.window(0).in_flight_ns <= answered_ns - began_ns + kNsPerMs);
  CHECK_EQ(played.window(1).in_flight_ns, 0);
}

TEST(ByDueAMessageBelongsToWhenItWasDue) {
  Played played(OpenLoop());
  Window& window = played.window(0);
  const int64_t from_ns = MonotonicNs();
  played.traffic().CountInto(&window, from_ns);
  played.traffic().MeasureByDue(&window, from_ns);
  played.Send(from_ns - 1);  // of no window
  played.Send(from_ns);
  played.Send(from_ns + 1);
  const int64_t until_ns = MonotonicNs();
  played.traffic().EndByDue(until_ns);
  played.traffic().CountInto(nullptr, until_ns);
  played.Send(until_ns);  // of no window
  CHECK_EQ(window.intended, 2);
  CHECK_EQ(window.sent, 2);
  CHECK_EQ(window.completed, 0);
  CHECK_EQ(window.sender_delay.Count(), uint64_t{2});
  played.Echo(4);
  CHECK_EQ(window.latency.Count(), uint64_t{2});
  CHECK_EQ(window.latency_uncorrected.Count(), uint64_t{2});
  CHECK_EQ(window.completed, 0);
  CHECK_EQ(played.traffic().Sum().completed, 5);
}

TEST(WhatIsOverdueAtTheEndIsIntendedInTheLastWindow) {
  Played played(OpenLoop());
  played.traffic().CountInto(&played.window(0), MonotonicNs());
  const int64_t until_ns = MonotonicNs();
  played.traffic().CountInto(nullptr, until_ns);
  played.traffic().EndByDue(until_ns);
  played.Send(until_ns - 1);
  played.Send(until_ns);  // of no window
  CHECK_EQ(played.window(0).intended, 1);
  CHECK_EQ(played.window(0).sender_delay.Count(), uint64_t{1});
}

TEST(WhatWaitsForItsTurnIsMissingUntilItIsDropped) {
  RunOptions options = OpenLoop();
  options.depth = 1;
  Played played(options);
  for (int i = 0; i < 3; ++i) played.Send(MonotonicNs());
  CHECK_EQ(played.traffic().Sum().missing, 3);
  played.traffic().DropQueued();
  CHECK_EQ(played.traffic().Sum().missing, 1);
  CHECK_EQ(played.traffic().outstanding(), 1);
  played.Echo(1);
  CHECK_EQ(played.traffic().outstanding(), 0);
  played.Send(MonotonicNs());
  played.Echo(1);
  CHECK_EQ(played.traffic().Sum().mismatches, 0);
}

TEST(ALostConnectionTakesItsMessagesOutOfFlight) {
  Played played(OpenLoop());
  played.traffic().CountInto(&played.window(0), MonotonicNs());
  for (int i = 0; i < 3; ++i) played.Send(MonotonicNs());
  played.traffic().Retire(0, ConnectionState::kLost);
  const int64_t lost_ns = MonotonicNs();
  played.traffic().CountInto(&played.window(1), lost_ns);
  while (MonotonicNs() < lost_ns + kNsPerMs) continue;
  played.traffic().CountInto(nullptr, MonotonicNs());
  CHECK(played.window(0).in_flight_ns > 0);
  CHECK_EQ(played.window(1).in_flight_ns, 0);
}

#ifdef __linux__  // elsewhere a reset discards what was received
TEST(WhatWasAnsweredBeforeAResetIsTaken) {
  Played played(OpenLoop());
  for (int i = 0; i < 4; ++i) played.Send(MonotonicNs());
  played.Answer(2);
  played.Reset();
  played.Send(MonotonicNs());
  const Tally tally = played.traffic().Sum();
  CHECK_EQ(tally.completed, 3);  // with the greeting
  CHECK_EQ(tally.missing, 3);
  CHECK_EQ(tally.connections_lost, 1);
  CHECK_EQ(tally.mismatches, 0);
}
#endif

TEST(WindowCommandsAreReadOrRefused) {
  const RunOptions options = OpenLoop();
  const WindowCommand good = ParseWindowCommand("ms=150  rate=20000 spin=1 settle-ms=0", options);
  CHECK(good.error.empty());
  CHECK_EQ(good.length_ms, 150);
  CHECK_EQ(good.settle_ms, 0);
  CHECK_EQ(good.options.rate, 20'000);
  CHECK_EQ(good.options.spin, 1);
  CHECK(good.options.mode == LoadMode::kOpen);
  CHECK_EQ(ParseWindowCommand("ms=1", options).options.rate, 1000);
  CHECK(ParseWindowCommand("ms=1 in-flight=3", options).options.mode == LoadMode::kClosed);
  for (const char* words : {"", " ", "rate=1", "ms=", "ms=0", "ms=1x", "ms=1 rate=0", "=1", "ms",
                            "ms=1 rate=1 in-flight=1", "ms=1 speed=1", "ms=99999999999999999999"}) {
    CHECK(!ParseWindowCommand(words, options).error.empty());
  }
  CHECK(!ParseWindowCommand("ms=1", RunOptions()).error.empty());  // at no rate
}

}  // namespace io_selectors
