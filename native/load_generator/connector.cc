#include "load_generator/connector.h"

#include <algorithm>
#include <cstring>

#include "core/timeout.h"
#include "load_generator/text.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

// Below the shortest usual backlog (SOMAXCONN was 128): a SYN that finds the queue full is dropped,
// and costs a second until it is sent again.
constexpr uint32_t kUnderWayAtMost = 100;
// All processes of a run connect to the same server, whose backlog is longer at that scale.
constexpr uint32_t kUnderWayOfTeam = 400;
constexpr uint32_t kUnderWayAtLeast = 8;
constexpr int64_t kPauseAfterRefusalNs = 10 * kNsPerMs;

/** Whether to retry: no process listens yet, or a queue or the port range is full. */
bool IsTransient(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ETIMEDOUT:
    case EAGAIN:
    case EADDRNOTAVAIL:
    case EADDRINUSE:
      return true;
    default:
      return false;
  }
}

}  // namespace

Connector::Connector(Traffic& traffic, const RunOptions& options, const Share& share)
    : traffic_(traffic),
      options_(options),
      first_id_(share.first_id),
      under_way_at_most_(share.processes == 1
                             ? kUnderWayAtMost
                             : std::max(kUnderWayAtLeast, kUnderWayOfTeam / share.processes)),
      dialer_(options, share) {
  again_.reserve(under_way_at_most_);
}

std::string Connector::Run(uint32_t wanted) {
  last_served_ns_ = MonotonicNs();
  end_ns_ = last_served_ns_ + options_.connect_timeout_ms * kNsPerMs;
  while (served_ < wanted) {
    if (MonotonicNs() >= DeadlineNs()) return TimeIsOver(wanted);
    std::string error = StartSome(wanted);
    if (!error.empty()) return error;
    const Result<int> waited = traffic_.Wait(WaitNs());
    if (!waited.ok()) {
      return Format("%s: %s", waited.error().syscall, std::strerror(waited.error().errno_value));
    }
    for (int i = 0; i < waited.value(); ++i) {
      const ReadyEvent& event = traffic_.event(i);
      if (traffic_.IsCurrent(event)) OnEvent(traffic_.table().IdOf(event.fd), event);
    }
    // Another attempt would fail as well: the certificate stays what it is.
    error = traffic_.TlsFailure();
    if (!error.empty()) return error;
  }
  return "";
}

/** Opens sockets while few enough are under way. */
std::string Connector::StartSome(uint32_t wanted) {
  while (under_way_ < under_way_at_most_ && MonotonicNs() >= not_before_ns_) {
    uint32_t id = next_;
    if (!again_.empty()) {
      id = again_.back();
      again_.pop_back();
    } else if (next_ < wanted) {
      ++next_;
    } else {
      return "";
    }
    std::string error = StartOne(id);
    if (!error.empty()) return error;
  }
  return "";
}

std::string Connector::StartOne(uint32_t id) {
  const uint32_t name = first_id_ + id;
  ++under_way_;
  Result<OwnedFd> fd = dialer_.Connect(id);
  if (!fd.ok()) {
    if (!IsTransient(fd.error().errno_value)) {
      return Format("connection %u: %s: %s", name, fd.error().syscall,
                    std::strerror(fd.error().errno_value));
    }
    TryAgainLater(id, fd.error().errno_value);
    return "";
  }
  const Result<void> opened = traffic_.Open(id, std::move(fd.value()));
  if (opened.ok()) return "";
  return Format("connection %u: %s: %s", name, opened.error().syscall,
                std::strerror(opened.error().errno_value));
}

void Connector::OnEvent(uint32_t id, const ReadyEvent& event) {
  Connection& connection = traffic_.table()[id];
  const ConnectionState before = connection.state;
  int error = ECONNRESET;
  if (before == ConnectionState::kConnecting) {
    error = Greet(id);
  } else {
    traffic_.Handle(id, event);
  }
  if (before == ConnectionState::kOpen) return;
  if (connection.state == ConnectionState::kLost) {
    TryAgainLater(id, error);
  } else if (connection.state == ConnectionState::kWrong || connection.next_expected > 0) {
    if (connection.Alive()) traffic_.Serve(id);
    --under_way_;
    ++served_;
    last_served_ns_ = MonotonicNs();
  }
}

/** The connect ended: with an errno, which is returned, or well, and the first message goes out. */
int Connector::Greet(uint32_t id) {
  const int error = SocketError(traffic_.table()[id].fd);
  if (error != 0 || !traffic_.Start(id).ok()) {
    traffic_.Retire(id, ConnectionState::kLost);
    return error;
  }
  traffic_.Post(id, kWhenSent);
  return ECONNRESET;  // should that post have found it reset
}

void Connector::TryAgainLater(uint32_t id, int error) {
  last_error_ = error;
  --under_way_;
  again_.push_back(id);
  not_before_ns_ = MonotonicNs() + kPauseAfterRefusalNs;
}

int64_t Connector::DeadlineNs() const {
  return std::min(end_ns_, last_served_ns_ + options_.connect_stall_ms * kNsPerMs);
}

int64_t Connector::WaitNs() const {
  const int64_t now = MonotonicNs();
  const int64_t deadline = DeadlineNs();
  const bool paused = not_before_ns_ > now && under_way_ < under_way_at_most_;
  return std::max<int64_t>(0, std::min(paused ? not_before_ns_ : deadline, deadline) - now);
}

std::string Connector::TimeIsOver(uint32_t wanted) {
  const bool stalled = DeadlineNs() < end_ns_;
  const int64_t ms = stalled ? options_.connect_stall_ms : options_.connect_timeout_ms;
  std::string text =
      Format("only %u of %u connections to %s:%lld%s were served%s within %lld ms", served_, wanted,
             options_.host.c_str(), static_cast<long long>(options_.port),
             options_.tls != 0 ? " over TLS" : "", stalled ? ", and no more" : "",
             static_cast<long long>(ms));
  if (last_error_ != 0) text += std::string(" (last error: ") + std::strerror(last_error_) + ")";
  const std::string unserved = traffic_.GiveUp();
  return unserved.empty() ? text : text + ": " + unserved;
}

}  // namespace io_selectors
