#include "load_generator/traffic.h"

#include <algorithm>
#include <limits>

#include "core/timeout.h"
#include "load_generator/message.h"
#include "load_generator/text.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr size_t kEventsPerWait = 256;
constexpr size_t kBufferBytes = size_t{64} * 1024;
constexpr int kReadsPerWake = 16;

constexpr int64_t kRingSlotsInAll = 1 << 22;  // 64 MiB of Posted
constexpr int64_t kRingSlotsWanted = 64;
constexpr int64_t kRingSlotsLeast = 8;
constexpr int64_t kStallSeconds = 4;  // of the server, after which messages still find room

/** A power of two: room for what falls due while the server stalls, within the memory for all. */
uint32_t RingSlots(const RunOptions& options) {
  const int64_t total =
      options.open_loop ? options.rate * kStallSeconds : options.in_flight * kStallSeconds;
  const int64_t wanted = std::max(kRingSlotsWanted, total / options.connections);
  const int64_t most = std::max(kRingSlotsLeast, kRingSlotsInAll / options.connections);
  uint32_t slots = kRingSlotsLeast;
  while (slots < wanted && int64_t{slots} * 2 <= most) slots *= 2;
  return slots;
}

}  // namespace

Traffic::Traffic(Selector& selector, const RunOptions& options)
    : selector_(selector),
      table_(static_cast<uint32_t>(options.connections), RingSlots(options)),
      payload_bytes_(static_cast<size_t>(options.payload_bytes)),
      depth_(options.depth > 0 ? static_cast<uint32_t>(options.depth)
                               : std::numeric_limits<uint32_t>::max()),
      ring_(kEventsPerWait),
      send_buffer_(kBufferBytes),
      receive_buffer_(kBufferBytes) {}

Traffic::~Traffic() { CloseAll(); }

Totals Traffic::Sum() const {
  Totals totals = totals_;
  for (uint32_t id = 0; id < table_.size(); ++id) {
    const Connection& connection = table_[id];
    // After a wrong byte we stopped listening: what else was under way is not the server's fault.
    if (connection.state != ConnectionState::kWrong) totals.missing += connection.Begun();
  }
  return totals;
}

Result<void> Traffic::Open(uint32_t id, OwnedFd fd) {
  const Result<int32_t> registered = selector_.Register(fd.get(), kWrite);
  if (!registered.ok()) return registered.error();
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
  ++alive_;
  return {};
}

void Traffic::Retire(uint32_t id, ConnectionState state) {
  Connection& connection = table_[id];
  if (connection.Alive()) {
    --alive_;
    outstanding_ -= connection.sent + connection.queued;
  }
  // Before it was served it is opened anew instead.
  const bool was_open = connection.state == ConnectionState::kOpen;
  if (was_open && state == ConnectionState::kLost) ++totals_.connections_lost;
  // ENOENT: a failed Modify has unregistered it already.
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

bool Traffic::Post(uint32_t id, int64_t intended_ns) {
  Connection& connection = table_[id];
  if (!connection.Alive() || table_.Full(connection)) return false;
  table_.Slot(id, connection.sent + connection.queued).intended_ns = intended_ns;
  ++connection.queued;
  ++outstanding_;
  if (!connection.blocked) SendQueued(id);
  return true;
}

Result<int> Traffic::Wait(int64_t timeout_ns) {
  ++calls_.wait;
  const Result<int> waited =
      selector_.Select(ring_.data(), static_cast<int>(ring_.size()), timeout_ns);
  if (!waited.ok() && waited.error().errno_value == EINTR) return 0;
  return waited;
}

void Traffic::Handle(uint32_t id, const ReadyEvent& event) {
  if ((event.ready & kRead) != 0) ReceiveReady(id);
  if ((event.ready & kWrite) != 0 && table_[id].Alive()) SendQueued(id);
}

/** Sends until nothing is queued, the depth is reached or the socket is full. */
void Traffic::SendQueued(uint32_t id) {
  Connection& connection = table_[id];
  while (connection.queued > 0 && connection.sent < depth_) {
    if (!SendSome(id)) return;
  }
  SetBlocked(id, false);
}

/** One send(2) of the first queued message, or what is left of it. @returns false: no more now. */
bool Traffic::SendSome(uint32_t id) {
  Connection& connection = table_[id];
  const size_t chunk = std::min(payload_bytes_ - connection.sent_of, send_buffer_.size());
  const Message message(id, connection.next_expected + connection.sent);
  message.Fill(connection.sent_of, send_buffer_.data(), chunk);
  Posted& posted = table_.Slot(id, connection.sent);
  if (connection.sent_of == 0) posted.sent_ns = MonotonicNs();
  ++calls_.send;
  const ssize_t taken = Send(connection.fd, send_buffer_.data(), chunk);
  if (taken < 0) {
    if (taken == -EAGAIN || taken == -EWOULDBLOCK) {
      SetBlocked(id, true);
    } else {
      Retire(id, ConnectionState::kLost);
    }
    return false;
  }
  if (connection.sent_of == 0) {
    if (posted.intended_ns == kWhenSent) posted.intended_ns = posted.sent_ns;
    window_->send_lag.Record(posted.sent_ns - posted.intended_ns);
  }
  connection.sent_of += static_cast<uint32_t>(taken);
  if (connection.sent_of < payload_bytes_) return true;
  connection.sent_of = 0;
  --connection.queued;
  ++connection.sent;
  ++window_->sent;
  return true;
}

void Traffic::ReceiveReady(uint32_t id) {
  Connection& connection = table_[id];
  for (int reads = 0; reads < kReadsPerWake; ++reads) {
    ++calls_.recv;
    const ssize_t length = Receive(connection.fd, receive_buffer_.data(), receive_buffer_.size());
    if (length == -EAGAIN || length == -EWOULDBLOCK) break;
    if (length <= 0) return Retire(id, ConnectionState::kLost);
    if (!Check(id, receive_buffer_.data(), static_cast<size_t>(length), MonotonicNs())) {
      ++totals_.mismatches;
      return Retire(id, ConnectionState::kWrong);
    }
    // A short read took all there was; more would be announced, readiness being level-triggered.
    if (static_cast<size_t>(length) < receive_buffer_.size()) break;
  }
  if (connection.queued > 0 && !connection.blocked) SendQueued(id);
}

/** Takes received bytes, of one message or many. @returns false at the first one that is wrong. */
bool Traffic::Check(uint32_t id, const unsigned char* data, size_t length, int64_t now_ns) {
  Connection& connection = table_[id];
  while (length > 0) {
    const size_t sent_of_oldest = connection.sent > 0 ? payload_bytes_ : connection.sent_of;
    const size_t part = std::min(length, sent_of_oldest - connection.received);
    const Message message(id, connection.next_expected);
    const size_t good = message.CountMatching(connection.received, data, part);
    connection.received += static_cast<uint32_t>(good);
    // No part: these bytes answer nothing that was sent.
    if (part == 0 || good < part) {
      ReportWrongByte(id, data[good]);
      return false;
    }
    data += part;
    length -= part;
    if (connection.received == payload_bytes_) Complete(id, now_ns);
  }
  return true;
}

void Traffic::Complete(uint32_t id, int64_t now_ns) {
  const Posted& posted = table_.Slot(id, 0);
  window_->latency.Record(now_ns - posted.intended_ns);
  window_->latency_uncorrected.Record(now_ns - posted.sent_ns);
  ++window_->completed;
  ++totals_.completed;
  --outstanding_;
  table_.PopOldest(&table_[id]);
}

void Traffic::SetBlocked(uint32_t id, bool blocked) {
  Connection& connection = table_[id];
  if (connection.blocked == blocked) return;
  connection.blocked = blocked;
  if (!selector_.Modify(connection.fd, blocked ? kRead | kWrite : kRead).ok()) {
    Retire(id, ConnectionState::kLost);
  }
}

void Traffic::ReportWrongByte(uint32_t id, unsigned char got) {
  if (!mismatch_detail_.empty()) return;
  const Connection& connection = table_[id];
  const unsigned long long message = connection.next_expected;
  if (connection.Begun() == 0) {
    mismatch_detail_ = Format(
        "connection %u: message %llu: byte 0 is 0x%02x, but it was not sent yet", id, message, got);
    return;
  }
  mismatch_detail_ =
      Format("connection %u: message %llu: byte %u is 0x%02x, expected 0x%02x", id, message,
             connection.received, got, Message(id, message).ByteAt(connection.received));
}

}  // namespace io_selectors
