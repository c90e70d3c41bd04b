// The part of Traffic that ends connections and opens them again while the load goes on: if the
// server closes after an answer, or if the options ask for it. A TLS handshake is part of opening.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "core/timeout.h"
#include "load_generator/request_choice.h"
#include "load_generator/text.h"
#include "load_generator/traffic.h"
#include "net/receive_time.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

// Servers close connections on which nothing has happened for seconds: the shortest usual time
// is 1.
constexpr int64_t kIdleNs = kNsPerSecond / 2;
// A server that closes without an answer again and again, or that is gone.
constexpr uint8_t kFruitlessAtMost = 3;
// A connection that is used now and then may be closed many times before its next request.
constexpr uint8_t kIdleEndsAtMost = 200;

}  // namespace

/** The answer before this one has ended, and with it perhaps its connection. @returns whether. */
bool Traffic::EndsWith(uint32_t id, const Exchange& answered, bool server_closes) {
  Connection& connection = table_[id];
  if (server_closes) {
    Reopen(id);
    return true;
  }
  const uint64_t drawn = reopen_percent_ > 0 ? HashOf(answered, ~seed_) % 100 : 100;
  connection.closing = connection.closing || drawn < reopen_percent_;
  if (!connection.closing || connection.Begun() > 0) return false;
  Reopen(id);
  return true;
}

/**
 * Whether a server may have closed a connection because it had been idle, while a request was on
 * its way to it: this is not a fault, and the request is sent once more. RFC 9112, 9.3.1
 */
bool Traffic::WasIdle(uint32_t id) {
  const Connection& connection = table_[id];
  if (!protocol_->MayCloseIdle() || connection.received > 0 || !connection.Timed()) return false;
  const int64_t sent_ns = table_.Slot(id, 0).sent_ns;
  return connection.next_expected > 0 && connection.fruitless < kFruitlessAtMost &&
         sent_ns - connection.last_completed_ns > kIdleNs;
}

/** The peer has ended the connection: `error` is 0 for a FIN, else recv(2)'s or send(2)'s. */
void Traffic::OnPeerEnd(uint32_t id, int error) {
  Connection& connection = table_[id];
  if (error == EPROTO && tls_ != nullptr) {
    NoteTlsFailure();
    return Retire(id, ConnectionState::kLost);
  }
  const bool open = connection.state == ConnectionState::kOpen;
  // Nothing listens any more: it was not opened again, and further attempts would fail as well.
  const bool refused = error == ECONNREFUSED;
  if (refused) --tally_.reopened;
  if (connection.Begun() == 0) {
    // One that waits for its turn is still there; one that is to be silent is not used again.
    const bool used = connection.role == Role::kMeasured || connection.role == Role::kHot;
    const bool usual = open && used && protocol_->MayCloseIdle();
    if (!usual || refused || connection.idle_ends >= kIdleEndsAtMost) {
      return Retire(id, ConnectionState::kLost);
    }
    ++connection.idle_ends;
    const uint8_t fruitless = connection.fruitless;
    Reopen(id);
    connection.fruitless = fruitless;  // no request was lost by that
    return;
  }
  if (connection.role == Role::kSlow) return Retire(id, ConnectionState::kLost);
  if (open && WasIdle(id)) return Reopen(id);
  const Taken taken = protocol_->End(id, ProgressOf(id), error != 0);
  const bool whole = taken.complete && connection.sent > 0;
  // A first request without its answer is sent again, and is a fault only if that never ends.
  if (taken.faulty) NoteFault(open || whole ? &tally_ : &unserved_, id, {taken.fault});
  if (!whole) return Retire(id, ConnectionState::kLost);
  Complete(id, OwnNs(MonotonicNs()));
  Reopen(id);
}

std::string Traffic::GiveUp() {
  const auto any = [](int64_t count) { return count > 0; };
  // Beside faults, those that wait are only the latest attempts.
  const bool none = std::none_of(std::begin(unserved_.faults), std::end(unserved_.faults), any);
  for (uint32_t id = 0; none && id < table_.size(); ++id) {
    const Connection& connection = table_[id];
    const bool waits = connection.state == ConnectionState::kGreeting && connection.Begun() > 0;
    if (waits) NoteFault(&unserved_, id, {Fault::kLate});
  }
  tally_.Add(unserved_);
  for (const char* detail : unserved_.fault_details) {
    if (detail[0] != '\0') return detail;
  }
  return std::string();
}

/** Closes the connection and begins its successor, which has everything that is unanswered. */
void Traffic::Reopen(uint32_t id) {
  Connection& connection = table_[id];
  Requeue(id);
  if (tls_ != nullptr) tls_->End(id);
  (void)selector_.Unregister(connection.fd).ok();
  OwnedFd(connection.fd).Reset();
  connection.fd = -1;
  Result<OwnedFd> fd = dialer_.Connect(id);
  if (!fd.ok()) {
    const Error& error = fd.error();
    if (error.errno_value == ECONNREFUSED) return Retire(id, ConnectionState::kLost);
    // Such as EADDRNOTAVAIL: the generator has no port left, for which the server is not to blame.
    tally_.SetError(Format("cannot open a connection again: %s: %s", error.syscall,
                           std::strerror(error.errno_value)));
    return Retire(id, ConnectionState::kLost);
  }
  if (!selector_.Register(fd.value().get(), kRead | kWrite).ok()) {
    return Retire(id, ConnectionState::kLost);
  }
  if (stamps_) (void)SetReceiveTimestamps(fd.value().get()).ok();
  table_.Bind(fd.value().get(), id);
  connection.fd = fd.value().Release();
  connection.blocked = true;  // until it is connected
  connection.closing = false;
  connection.received = 0;
  protocol_->Begin(id);
  if (tls_ != nullptr) tls_->Begin(id, connection.fd);
  connection.hushed = protocol_->Speaks(id);
  if (connection.fruitless < kFruitlessAtMost) ++connection.fruitless;
  ++tally_.reopened;
}

/** Takes the handshake on, before anything is sent. @returns whether it is over. */
bool Traffic::Shake(uint32_t id) {
  int error = 0;
  switch (tls_->Shake(id, &error)) {
    case Tls::Step::kDone:
      return true;
    case Tls::Step::kWantsRead:
      SetBlocked(id, false);
      return false;
    case Tls::Step::kWantsWrite:
      SetBlocked(id, true);
      return false;
    case Tls::Step::kEnded:
    case Tls::Step::kFailed:
      break;
  }
  OnPeerEnd(id, error);
  return false;
}

void Traffic::NoteTlsFailure() {
  if (tally_.CountFault(Fault::kTls)) tally_.SetFaultDetail(Fault::kTls, tls_->failure());
}

/** Messages that were sent and are not answered are to be sent once more. */
void Traffic::Requeue(uint32_t id) {
  Connection& connection = table_[id];
  if (connection.Timed()) {
    const int64_t now_ns = OwnNs(MonotonicNs());
    for (uint32_t i = 0; i < connection.Begun(); ++i) LeaveFlight(now_ns);
    for (uint32_t i = 0; i < connection.sent; ++i) {
      --WindowOf(table_.Slot(id, i).intended_ns).sent;
    }
  }
  connection.queued += connection.sent;
  connection.sent = 0;
  connection.sent_of = 0;
}

}  // namespace io_selectors
