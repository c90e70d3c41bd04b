// The half of Traffic that moves bytes: it builds and sends requests, receives answers and checks
// them. send(2), recv(2)
#include <algorithm>

#include "core/timeout.h"
#include "load_generator/message.h"
#include "load_generator/traffic.h"
#include "net/receive_time.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr int kReadsPerWake = 16;

}  // namespace

/** Sends until nothing is queued, the depth is reached or the socket is full. */
void Traffic::SendQueued(uint32_t id) {
  Connection& connection = table_[id];
  if (tls_ != nullptr && !tls_->Ready(id) && !Shake(id)) return;
  while (MaySend(connection) > 0) {
    if (!SendSome(id)) return;
  }
  SetBlocked(id, false);
}

/** Messages that the depth lets go out now. */
uint32_t Traffic::MaySend(const Connection& connection) const {
  if (connection.hushed) return 0;
  if (connection.closing) return connection.sent_of > 0 ? 1 : 0;
  if (!connection.Timed()) return connection.queued;
  return connection.sent < depth_ ? std::min(connection.queued, depth_ - connection.sent) : 0;
}

/** One send(2), or one record of TLS, from the send buffer. */
ssize_t Traffic::Transmit(uint32_t id, size_t length) {
  if (tls_ != nullptr) return tls_->Send(id, send_buffer_.data(), length);
  return Send(table_[id].fd, send_buffer_.data(), length);
}

/** One send(2) of as much as is queued and fits the buffer. @returns false: no more now. */
bool Traffic::SendSome(uint32_t id) {
  Connection& connection = table_[id];
  Exchange exchange = ExchangeOf(id, connection.sent);
  size_t offset = connection.sent_of;
  size_t filled = 0;
  for (uint32_t left = MaySend(connection); left > 0; --left) {
    const size_t whole = protocol_->RequestBytes(exchange);
    const size_t part = std::min(whole - offset, send_buffer_.size() - filled);
    protocol_->Fill(exchange, offset, send_buffer_.data() + filled, part);
    filled += part;
    ++exchange.number;
    offset = 0;
    if (filled == send_buffer_.size()) break;
  }
  const int64_t now_ns = OwnNs(MonotonicNs());
  ++tally_.calls.send;
  const ssize_t taken = Transmit(id, filled);
  if (taken < 0) {
    if (taken == -EAGAIN || taken == -EWOULDBLOCK) {
      SetBlocked(id, true);
    } else if (tls_ != nullptr || TakeWhatCame(id)) {
      OnPeerEnd(id, static_cast<int>(-taken));
    }
    return false;
  }
  CountSent(id, static_cast<size_t>(taken), now_ns);
  return true;
}

/** Takes what came before a send was refused. @returns false: the connection is another now. */
bool Traffic::TakeWhatCame(uint32_t id) {
  while (table_[id].role != Role::kSlow) {
    int64_t arrived_ns = 0;
    const ssize_t length = ReceiveSome(id, &arrived_ns);
    if (length <= 0) break;
    if (!Take(id, receive_buffer_.data(), static_cast<size_t>(length), arrived_ns)) return false;
  }
  return true;
}

/** Some bytes went out: the end of one message, whole ones, the begin of another. */
void Traffic::CountSent(uint32_t id, size_t bytes, int64_t sent_ns) {
  Connection& connection = table_[id];
  const bool slow = connection.role == Role::kSlow;
  if (slow) tally_.slow.bytes_sent += static_cast<int64_t>(bytes);
  while (bytes > 0) {
    int64_t due_ns = 0;
    if (connection.Timed()) {
      Posted& posted = table_.Slot(id, connection.sent);
      if (connection.sent_of == 0) {
        posted.sent_ns = sent_ns;
        if (posted.intended_ns == kWhenSent) posted.intended_ns = sent_ns;
        WindowOf(posted.intended_ns).send_lag.Record(sent_ns - posted.intended_ns);
        EnterFlight(sent_ns);
      }
      due_ns = posted.intended_ns;
    }
    const size_t whole = protocol_->RequestBytes(ExchangeOf(id, connection.sent));
    const size_t part = std::min(bytes, whole - connection.sent_of);
    bytes -= part;
    connection.sent_of += static_cast<uint32_t>(part);
    if (connection.sent_of < whole) return;
    connection.sent_of = 0;
    --connection.queued;
    if (slow) {
      ++connection.next_expected;  // which is not waited for: it numbers the next one
    } else {
      ++connection.sent;
    }
    if (connection.Timed()) ++WindowOf(due_ns).sent;
  }
}

void Traffic::ReceiveReady(uint32_t id) {
  Connection& connection = table_[id];
  if (tls_ != nullptr && !tls_->Ready(id)) return SendQueued(id);
  const size_t whole = tls_ != nullptr ? Tls::kLongestRecord : receive_buffer_.size();
  for (int reads = 0; reads < kReadsPerWake; ++reads) {
    int64_t arrived_ns = 0;
    const ssize_t length = ReceiveSome(id, &arrived_ns);
    if (length == -EAGAIN || length == -EWOULDBLOCK) break;
    if (length <= 0) return OnPeerEnd(id, static_cast<int>(-length));
    if (!Take(id, receive_buffer_.data(), static_cast<size_t>(length), arrived_ns)) return;
    // A short read took all there was; more would be announced, readiness being level-triggered.
    if (static_cast<size_t>(length) < whole) break;
  }
  if (connection.queued > 0 && !connection.blocked) SendQueued(id);
}

/** One recv(2), or one record of TLS. @param arrived_ns on our clock: when these bytes came, or at
 * least were here */
ssize_t Traffic::ReceiveSome(uint32_t id, int64_t* arrived_ns) {
  const int fd = table_[id].fd;
  unsigned char* buffer = receive_buffer_.data();
  int64_t realtime_ns = 0;
  ssize_t length = 0;
  ++tally_.calls.recv;
  if (tls_ != nullptr) {
    length = tls_->Receive(id, buffer, receive_buffer_.size());
  } else if (stamped_) {
    length = ReceiveStamped(fd, buffer, receive_buffer_.size(), &realtime_ns);
  } else {
    length = Receive(fd, buffer, receive_buffer_.size());
  }
  *arrived_ns = realtime_ns > 0 ? realtime_ns + clocks_apart_ns_ : OwnNs(MonotonicNs());
  return length;
}

/** Takes received bytes, of one answer or many. @returns false: the connection is another now. */
bool Traffic::Take(uint32_t id, const unsigned char* data, size_t length, int64_t now_ns) {
  Connection& connection = table_[id];
  while (length > 0) {
    const Exchange exchange = ExchangeOf(id);
    const Taken taken = protocol_->Take(id, exchange, ProgressOf(id), data, length);
    connection.received += static_cast<uint32_t>(taken.bytes);
    data += taken.skipped + taken.bytes;
    length -= taken.skipped + taken.bytes;
    if (taken.skipped > 0) connection.hushed = protocol_->Speaks(id);
    if (taken.faulty) NoteFault(&tally_, id, {taken.fault, 1, Quoted(data, length)});
    // Answered in full before it was sent in full: further bytes answer an unknown request.
    if (taken.broken || (taken.complete && connection.sent == 0)) {
      if (!taken.faulty) NoteFault(&tally_, id, {Fault::kWrong, 1, Quoted(data, length)});
      Retire(id, ConnectionState::kWrong);
      return false;
    }
    if (!taken.complete) continue;
    Complete(id, now_ns);
    // What follows an answer that ends the connection would not be looked at.
    if (taken.closes && length > 0 && connection.Begun() == 0) {
      NoteFault(&tally_, id, {Fault::kDoubled, 1, Quoted(data, length)});
    }
    if (EndsWith(id, exchange, taken.closes)) return false;
  }
  return true;
}

ExchangeProgress Traffic::ProgressOf(uint32_t id) const {
  const Connection& connection = table_[id];
  const size_t sent =
      connection.sent > 0 ? protocol_->RequestBytes(ExchangeOf(id)) : connection.sent_of;
  return ExchangeProgress{sent, connection.received};
}

void Traffic::NoteFault(Tally* tally, uint32_t id, const Faulty& found) const {
  const auto& [fault, answers, quoted] = found;
  if (!tally->CountFault(fault, answers)) return;
  tally->SetFaultDetail(
      fault, protocol_->Explain(id, ExchangeOf(id), ProgressOf(id), fault, std::string(quoted)));
}

/** Whether the oldest message is one for which the server blocks: not a neighbour's latency. */
bool Traffic::BlocksServer(uint32_t id) const {
  const Exchange exchange = ExchangeOf(id);
  return Message(exchange.connection, exchange.number).ByteAt(0) < block_below_;
}

void Traffic::Complete(uint32_t id, int64_t now_ns) {
  Connection& connection = table_[id];
  connection.fruitless = 0;
  connection.idle_ends = 0;
  if (connection.Timed()) {
    const Posted& posted = table_.Slot(id, 0);
    Window& back = WindowAt(now_ns);
    Window& window = by_due_ == nullptr ? back : DueWindow(posted.intended_ns);
    ++window.answered;
    if (block_below_ == 0 || !BlocksServer(id)) {
      window.latency.Record(now_ns - posted.intended_ns);
      window.latency_uncorrected.Record(now_ns - posted.sent_ns);
    }
    const bool late = answer_within_ns_ > 0 && now_ns - posted.sent_ns > answer_within_ns_;
    if (late) NoteFault(&tally_, id, {Fault::kLate});
    ++back.completed;
    LeaveFlight(now_ns);
    if (comparing_) {
      int64_t& longest = tally_.fairness.longest_gap_ns;
      longest = std::max(longest, now_ns - connection.last_completed_ns);
    }
    connection.last_completed_ns = now_ns;
  } else {
    ++window_->hot_completed;
  }
  ++tally_.completed;
  --outstanding_;
  table_.PopOldest(&connection);
  if (!connection.refills || !flooding_) return;
  if (connection.Timed()) {
    table_.Slot(id, connection.sent + connection.queued).intended_ns = kWhenSent;
  }
  Intend(id);
  ++connection.queued;
  ++outstanding_;
}

void Traffic::SetBlocked(uint32_t id, bool blocked) {
  Connection& connection = table_[id];
  if (connection.blocked == blocked) return;
  connection.blocked = blocked;
  const int32_t reading = connection.role == Role::kSlow ? 0 : kRead;
  if (!Watch(connection, blocked ? reading | kWrite : reading).ok()) {
    Retire(id, ConnectionState::kLost);
  }
}

/** Sets a connection's interest; 0 takes it out. */
Result<void> Traffic::Watch(const Connection& connection, int32_t interest) {
  if (interest == 0) return selector_.Unregister(connection.fd);
  if (selector_.Interest(connection.fd) != 0) return selector_.Modify(connection.fd, interest);
  const Result<int32_t> registered = selector_.Register(connection.fd, interest);
  return registered.ok() ? Result<void>() : registered.error();
}

}  // namespace io_selectors
