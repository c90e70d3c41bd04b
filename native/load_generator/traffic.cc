#include "load_generator/traffic.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "core/timeout.h"
#include "load_generator/protocols.h"
#include "net/receive_time.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr size_t kEventsPerWait = 256;
constexpr size_t kBufferBytes = size_t{64} * 1024;
// Each time that a peer which never reads is sent to: the buffers on its way hold megabytes, and
// only once they are full does it put the server to the test.
constexpr size_t kSlowBurstBytes = size_t{256} * 1024;

constexpr int64_t kRingSlotsInAll = 1 << 22;  // 64 MiB of Posted
constexpr int64_t kRingSlotsWanted = 64;
constexpr int64_t kRingSlotsLeast = 8;
constexpr int64_t kRingSlotsHeld = 4096;  // held connections: the load is not known yet
// A server that has not closed a second after our FIN is not going to.
constexpr int64_t kFarewellNs = kNsPerSecond;
constexpr int64_t kStallSeconds = 4;  // of the server, after which messages still find room

/** A power of two: room for what falls due while the server stalls, within the memory for all. */
uint32_t RingSlots(const RunOptions& options, const Share& share) {
  if (!options.EchoLoad()) return 1;  // the greeting
  const int64_t rate = static_cast<int64_t>(share.rate);
  const int64_t total = (options.mode == LoadMode::kOpen ? rate : share.in_flight) * kStallSeconds;
  const int64_t targets = std::max<int64_t>(share.targets, 1);
  const int64_t least = options.held ? kRingSlotsHeld : kRingSlotsWanted;
  const int64_t wanted = std::max({least, total / targets, options.depth * 2});
  const int64_t most = std::max(kRingSlotsLeast, kRingSlotsInAll / share.connections);
  uint32_t slots = kRingSlotsLeast;
  while (slots < wanted && int64_t{slots} * 2 <= most) slots *= 2;
  return slots;
}

}  // namespace

Traffic::Traffic(Selector& selector, const RunOptions& options, const Share& share,
                 Window* unmeasured)
    : selector_(selector),
      roles_(options),
      first_id_(share.first_id),
      table_(share.connections, RingSlots(options, share)),
      protocol_(MakeProtocol(options, share.connections)),
      tls_(Tls::Make(options, share.connections)),
      dialer_(options, share),
      seed_(static_cast<uint64_t>(options.seed)),
      reopen_percent_(static_cast<uint64_t>(options.reopen_percent)),
      answer_within_ns_(options.answer_within_ms * kNsPerMs),
      open_loop_(options.mode == LoadMode::kOpen),
      depth_(options.depth > 0 ? static_cast<uint32_t>(options.depth)
                               : std::numeric_limits<uint32_t>::max()),
      block_below_(static_cast<unsigned>(options.block_below)),
      slow_burst_(static_cast<uint32_t>(
          std::max(size_t{1}, kSlowBurstBytes / protocol_->LongestRequest()))),
      ring_(kEventsPerWait),
      send_buffer_(kBufferBytes),
      receive_buffer_(kBufferBytes),
      unmeasured_(unmeasured),
      window_(unmeasured),
      before_(unmeasured),
      // What TLS has to decrypt first cannot be read with the time at which it came.
      stamps_(options.mode == LoadMode::kOpen && options.depth == 0 && options.tls == 0),
      stamped_(stamps_) {
  targets_.reserve(share.targets);
  for (uint32_t id = 0; id < share.connections; ++id) {
    const Role role = roles_.Of(first_id_ + id);
    if (role == Role::kMeasured || role == Role::kSlow) targets_.push_back(id);
    if (role == Role::kSlow) ++tally_.slow.connections;
  }
  if (options.EchoLoad()) expected_before_.resize(share.connections);
}

Traffic::~Traffic() { CloseAll(); }

Tally Traffic::Sum() const {
  Tally tally = tally_;
  for (uint32_t id = 0; id < table_.size(); ++id) {
    const Connection& connection = table_[id];
    if (connection.role == Role::kSlow) {
      const bool open = connection.state != ConnectionState::kLost;
      tally.slow.full += open && connection.blocked ? 1 : 0;
    } else if (connection.state != ConnectionState::kWrong) {
      // After a wrong byte we stopped listening: what else was under way is not the server's fault.
      const bool by_due = open_loop_ && connection.Timed();
      const uint32_t missing = by_due ? connection.sent + connection.queued : connection.Begun();
      tally.missing += missing;
      // The reason is known if the connection was lost: its messages are not late.
      const bool late = missing > 0 && connection.state == ConnectionState::kOpen;
      if (late) NoteFault(&tally, id, {Fault::kLate, missing});
    }
  }
  return tally;
}

int64_t Traffic::OutstandingByTurn() const {
  const Connection& first = table_[0];
  const bool hot = first.role == Role::kHot && first.Alive();
  return outstanding_ - (hot ? int64_t{first.sent} + first.queued : 0);
}

void Traffic::BeginFairness(int64_t now_ns) {
  comparing_ = !expected_before_.empty();
  for (uint32_t id = 0; comparing_ && id < table_.size(); ++id) {
    expected_before_[id] = table_[id].next_expected;
    table_[id].last_completed_ns = OwnNs(now_ns);
  }
}

void Traffic::EndFairness(int64_t now_ns) {
  if (!comparing_) return;
  comparing_ = false;
  FairnessSums& sums = tally_.fairness;
  for (uint32_t id = 0; id < table_.size(); ++id) {
    const Connection& connection = table_[id];
    if (connection.role != Role::kMeasured) continue;
    const double completed = static_cast<double>(connection.next_expected - expected_before_[id]);
    ++sums.connections;
    sums.sum += completed;
    sums.sum_of_squares += completed * completed;
    // A connection without a request has no gap.
    if (connection.sent > 0) {
      sums.longest_gap_ns =
          std::max(sums.longest_gap_ns, OwnNs(now_ns) - connection.last_completed_ns);
    }
  }
}

Result<void> Traffic::Open(uint32_t id, OwnedFd fd) {
  const Result<int32_t> registered = selector_.Register(fd.get(), kWrite);
  if (!registered.ok()) return registered.error();
  if (stamps_) stamps_ = stamped_ = SetReceiveTimestamps(fd.get()).ok();
  if (stamps_ && clocks_apart_ns_ == 0) CompareClocks();
  table_.Bind(fd.get(), id);
  table_[id] = Connection{};
  table_[id].fd = fd.Release();
  table_[id].state = ConnectionState::kConnecting;
  return {};
}

Result<void> Traffic::Start(uint32_t id) {
  const Result<void> modified = selector_.Modify(table_[id].fd, kRead);
  if (!modified.ok()) return modified;
  table_[id].state = ConnectionState::kGreeting;
  protocol_->Begin(id);
  if (tls_ != nullptr) tls_->Begin(id, table_[id].fd);
  table_[id].hushed = protocol_->Speaks(id);
  ++alive_;
  return {};
}

void Traffic::Serve(uint32_t id) {
  Connection& connection = table_[id];
  connection.state = ConnectionState::kOpen;
  connection.role = roles_.Of(first_id_ + id);
  // Nothing but room to write is of interest, and only when there is none.
  if (connection.role != Role::kSlow) return;
  (void)selector_.Unregister(connection.fd).ok();
  if (connection.blocked && !Watch(connection, kWrite).ok()) Retire(id, ConnectionState::kLost);
}

void Traffic::Retire(uint32_t id, ConnectionState state) {
  Connection& connection = table_[id];
  const bool slow = connection.role == Role::kSlow;
  if (connection.Alive()) {
    --alive_;
    if (!slow) outstanding_ -= connection.sent + connection.queued;
    if (connection.Timed()) {
      const int64_t now_ns = OwnNs(MonotonicNs());
      for (uint32_t left = connection.Begun(); left > 0; --left) LeaveFlight(now_ns);
    }
  }
  // Before it was served it is opened again instead.
  if (connection.state == ConnectionState::kOpen && state == ConnectionState::kLost) {
    ++(slow ? tally_.slow.closed : tally_.connections_lost);
  }
  if (tls_ != nullptr) tls_->End(id);
  // ENOENT: a failed Modify has unregistered it already, or it is slow.
  (void)selector_.Unregister(connection.fd).ok();
  OwnedFd(connection.fd).Reset();
  connection.fd = -1;
  connection.state = state;
}

void Traffic::CloseAll() {
  for (uint32_t id = 0; id < table_.size(); ++id) {
    if (table_[id].fd >= 0) Retire(id, table_[id].state);
  }
}

void Traffic::FinishAll() {
  int64_t open = 0;
  for (uint32_t id = 0; id < table_.size(); ++id) {
    Connection& connection = table_[id];
    if (connection.fd < 0) continue;
    if (tls_ != nullptr) tls_->End(id);
    // Bytes that a slow peer never reads make its end a reset whatever we do.
    const bool ends = connection.role != Role::kSlow && shutdown(connection.fd, SHUT_WR) == 0 &&
                      Watch(connection, kRead).ok();
    if (ends) ++open;
    if (!ends) Retire(id, connection.state);
  }
  const int64_t end_ns = MonotonicNs() + kFarewellNs;
  for (int64_t now_ns = MonotonicNs(); open > 0 && now_ns < end_ns; now_ns = MonotonicNs()) {
    const Result<int> waited = Wait(end_ns - now_ns);
    if (!waited.ok()) break;
    for (int i = 0; i < waited.value(); ++i) {
      const ReadyEvent& ready = event(i);
      if (!IsCurrent(ready) || !table_.IsBound(ready.fd)) continue;
      if (Farewell(table_.IdOf(ready.fd))) --open;
    }
  }
  CloseAll();
}

/** Throws away what a connection still brings. @returns whether that was its end. */
bool Traffic::Farewell(uint32_t id) {
  Connection& connection = table_[id];
  const ssize_t length = Receive(connection.fd, receive_buffer_.data(), receive_buffer_.size());
  if (length > 0 || length == -EAGAIN || length == -EWOULDBLOCK) return false;
  Retire(id, connection.state);
  return true;
}

void Traffic::CountInto(Window* window, int64_t edge_ns) {
  Window* next = window != nullptr ? window : unmeasured_;
  if (next == window_) return;
  edge_ns_ = OwnNs(edge_ns);
  const uint64_t area = InFlightArea(edge_ns_);
  window_->in_flight_ns += static_cast<int64_t>(area - in_flight_edge_);
  in_flight_edge_ = area;
  before_ = window_;
  window_ = next;
}

void Traffic::MeasureByDue(Window* window, int64_t from_ns) {
  by_due_ = window;
  by_due_from_ns_ = OwnNs(from_ns);
  by_due_until_ns_ = window == nullptr ? 0 : std::numeric_limits<int64_t>::max();
}

bool Traffic::Post(uint32_t id, int64_t intended_ns) {
  Connection& connection = table_[id];
  if (!connection.Alive()) return false;
  if (connection.role == Role::kSlow) {
    // What does not fit now is let go: it would wait for ever.
    if (connection.blocked) return false;
    connection.queued += slow_burst_ - 1;
  } else {
    if (table_.Full(connection)) return false;
    if (connection.Timed()) {
      Posted& posted = table_.Slot(id, connection.sent + connection.queued);
      posted.intended_ns = intended_ns == kWhenSent ? kWhenSent : OwnNs(intended_ns);
    }
    ++outstanding_;
  }
  ++connection.queued;
  if (!connection.blocked) SendQueued(id);
  return true;
}

void Traffic::DropQueued() {
  for (uint32_t id = 0; outstanding_ > 0 && id < table_.size(); ++id) {
    Connection& connection = table_[id];
    // The rest of a message is still to be sent, and so is what TLS has encrypted already.
    const bool encrypted = tls_ != nullptr && connection.blocked;
    if (!connection.Alive() || connection.role == Role::kSlow || encrypted) continue;
    const uint32_t kept = connection.sent_of > 0 ? 1 : 0;
    outstanding_ -= std::max(connection.queued, kept) - kept;
    connection.queued = kept;
  }
}

void Traffic::PostToSlow(int64_t most_bytes) {
  const uint64_t most = static_cast<uint64_t>(most_bytes) / protocol_->LongestRequest();
  for (const uint32_t id : targets_) {
    const Connection& connection = table_[id];
    if (connection.role != Role::kSlow || connection.queued > 0) continue;
    if (connection.next_expected < most) Post(id, kWhenSent);
  }
}

void Traffic::Intend(uint32_t id) {
  if (table_[id].role != Role::kMeasured) return;
  ++window_->intended;
  ++intended_;
}

void Traffic::Intend(uint32_t id, int64_t due_ns, int64_t now_ns) {
  if (table_[id].role != Role::kMeasured) return;
  const int64_t own_due_ns = OwnNs(due_ns);
  const bool overdue = by_due_ == nullptr && own_due_ns < by_due_until_ns_;
  Window& window = overdue ? *before_ : WindowOf(own_due_ns);
  ++window.intended;
  window.sender_delay.Record(now_ns - due_ns);
  ++intended_;
}

void Traffic::Flood(uint32_t id, uint32_t messages) {
  Connection& connection = table_[id];
  if (!connection.Alive()) return;
  flooding_ = true;
  connection.refills = true;
  for (uint32_t i = 0; i < messages && !table_.Full(connection); ++i) {
    if (connection.Timed()) {
      table_.Slot(id, connection.sent + connection.queued).intended_ns = kWhenSent;
    }
    Intend(id);
    ++connection.queued;
    ++outstanding_;
  }
  if (!connection.blocked) SendQueued(id);
}

Result<int> Traffic::Wait(int64_t timeout_ns) {
  ++tally_.calls.wait;
  const Result<int> waited =
      selector_.Select(ring_.data(), static_cast<int>(ring_.size()), timeout_ns);
  if (!waited.ok() && waited.error().errno_value == EINTR) return 0;
  return waited;
}

void Traffic::CompareClocks() {
  timespec real{};
  clock_gettime(CLOCK_REALTIME, &real);
  const int64_t real_ns = static_cast<int64_t>(real.tv_sec) * kNsPerSecond + real.tv_nsec;
  clocks_apart_ns_ = OwnNs(MonotonicNs()) - real_ns;
}

void Traffic::Handle(uint32_t id, const ReadyEvent& event) {
  if ((event.ready & kRead) != 0) ReceiveReady(id);
  if ((event.ready & kWrite) != 0 && table_[id].Alive()) SendQueued(id);
}

}  // namespace io_selectors
