// io_uring: a completion server. One accept and one receive a connection complete again and again;
// what arrived lies in a buffer of the kernel's choice and is sent from there; all that a turn
// submits goes over together with the wait, in one system call. io_uring(7), Linux 6.0
// Enters: completions. Leaves: accept, recv, send and close as operations; io_uring_enter(2) only.
#ifdef __linux__

#include "core/io_uring.h"

#include <memory>
#include <new>
#include <utility>

#include "core/timeout.h"
#include "echo_server/growable_array.h"
#include "echo_server/provided_buffers.h"
#include "echo_server/report.h"
#include "echo_server/strategies.h"
#include "echo_server/submitter.h"
#include "net/socket.h"

namespace io_selectors {

#ifdef IO_SELECTORS_HAS_IO_URING

namespace {

constexpr uint32_t kSubmissions = 1024;
constexpr uint32_t kCompletions = 4096;
constexpr uint16_t kBuffers = 1024;
constexpr uint16_t kBufferGroup = 0;

/** What a receive may bring before it must be asked for anew, which waits until all is sent: the
 * most that is kept for a peer that does not read. Before Linux 6.17 a receive cannot be limited;
 * there it is cancelled, and up to 32 buffers may have come by then. */
constexpr uint32_t kAllowanceBytes = 64 * 1024;

/** How long the kernel may take to let go of everything at the end. */
constexpr int64_t kEndingNs = kNsPerSecond;

/** What a peer did not take at once. */
struct Output {
  Bytes sending;  // what the kernel is given; does not move meanwhile
  size_t offset = 0;
  Bytes waiting;  // arrived behind it
};

struct Peer {
  std::unique_ptr<Output> output;
  int32_t buffer = -1;  // that is being sent from
  uint32_t length = 0;  // of what is in it
  bool open = false;
  bool receiving = false;
  bool limited = false;  // the receive, to the allowance
  bool sending = false;
  bool cancelling = false;  // the receive
  bool ended = false;       // nothing more will arrive
  bool broken = false;      // nothing more can be sent, or there was no memory to keep it
};

class IoUringLoop {
 public:
  IoUringLoop(Server& server, IoUring& ring)
      : server_(server), counters_(server.counters), ring_(ring), submit_(ring) {}

  Result<void> Run() {
    Result<void> done = buffers_.Register(ring_, kBufferGroup, kBuffers, kReadBufferBytes);
    // Those that are accepted inherit it, so that it costs no call for each.
    if (done.ok()) done = SetNoDelay(server_.listener.get());
    if (!done.ok()) return done;
    submit_.WatchStop(server_.stop.fd());
    submit_.Accept(server_.listener.get());
    AnnounceReady(server_);
    done = ServeUntilStopped();
    EndAll();
    counters_.wait_calls = ring_.enter_calls();
    return done;
  }

 private:
  Result<void> ServeUntilStopped() {
    while (!StopSignal::Raised()) {
      ReceiveForStarved();
      const Result<void> entered = ring_.Enter(1, AcceptTimeoutNs());
      if (!entered.ok() && entered.error().errno_value != EINTR) return entered;
      Completion completion;
      while (ring_.Next(&completion)) Handle(completion);
      if (!submit_.failure().ok()) return submit_.failure();
    }
    return {};
  }

  void Handle(const Completion& completion) {
    ++counters_.events_returned;
    submit_.OnCompletion(completion);
    const int fd = DescriptorOf(completion);
    switch (OperationOf(completion)) {
      case Operation::kAccept:
        return OnAccepted(completion);
      case Operation::kReceive:
        return OnReceived(fd, completion);
      case Operation::kSend:
        return OnSent(fd, completion.result);
      case Operation::kStop:
      case Operation::kUnwatched:
        return;
    }
  }

  void OnAccepted(const Completion& completion) {
    if (completion.result >= 0) Open(completion.result);
    if (completion.more()) return;
    // It ends with any error, and where completions had no room.
    const int error = completion.result < 0 ? -completion.result : 0;
    if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS) {
      SayOnce(&said_, "accept", error);
      accept_again_ns_ = MonotonicNs() + kAcceptPauseNs;
    } else {
      submit_.Accept(server_.listener.get());
    }
  }

  /** Until a pause of accepting is over. */
  int64_t AcceptTimeoutNs() {
    if (accept_again_ns_ == 0) return kNoDeadline;
    const int64_t left = accept_again_ns_ - MonotonicNs();
    if (left > 0) return left;
    AcceptAgain();
    return kNoDeadline;
  }

  void AcceptAgain() {
    accept_again_ns_ = 0;
    submit_.Accept(server_.listener.get());
  }

  void Open(int fd) {
    const size_t index = static_cast<size_t>(fd);
    if (peers_.size() <= index && !peers_.Resize((index + 1) * 2)) {
      return OwnedFd(fd).Reset();  // no memory to remember it
    }
    peers_[index].open = true;
    counters_.CountAccepted();
    Receive(fd);
  }

  void Receive(int fd) {
    Peer& peer = At(fd);
    peer.receiving = true;
    peer.limited = allowance_ > 0;
    submit_.Receive(fd, kBufferGroup, allowance_);
  }

  /** Where no buffer was free; each that was in use comes back, whatever its peer does. */
  void ReceiveForStarved() {
    if (starved_.empty() || buffers_in_use_ == kBuffers) return;
    for (const int fd : starved_) {
      At(fd).receiving = false;
      At(fd).cancelling = false;
      Settle(fd);
    }
    starved_.Clear();
  }

  void OnReceived(int fd, const Completion& completion) {
    Peer& peer = At(fd);
    if (!completion.more()) {
      peer.receiving = false;
      peer.cancelling = false;
    }
    if (completion.buffer() >= 0) {
      ++buffers_in_use_;
      TakeIn(fd, completion.buffer(), completion.result);
    } else if (completion.result == -ENOBUFS) {
      Starve(fd);
    } else if (completion.result == -EINVAL && peer.limited) {
      allowance_ = 0;  // before Linux 6.17; as many have asked for it as were accepted at once
    } else if (completion.result == 0) {
      peer.ended = true;
    } else if (completion.result != -ECANCELED) {
      peer.broken = true;
    }
    Settle(fd);
  }

  /** It counts as receiving until it is asked for again, so that it is not closed. */
  void Starve(int fd) {
    Peer& peer = At(fd);
    const size_t count = starved_.size();
    peer.receiving = starved_.Resize(count + 1);
    if (peer.receiving) starved_[count] = fd;
    if (!peer.receiving) peer.broken = true;
  }

  void TakeIn(int fd, int buffer, int32_t result) {
    Peer& peer = At(fd);
    const size_t length = result > 0 ? static_cast<size_t>(result) : 0;
    counters_.bytes_received += length;
    if (length == 0 || peer.broken) {
      peer.ended = peer.ended || result == 0;
      return Return(buffer);
    }
    if (!peer.sending && peer.output == nullptr) {
      peer.sending = true;
      peer.buffer = buffer;
      peer.length = static_cast<uint32_t>(length);
      return submit_.Send(fd, buffers_.At(buffer), length, false);
    }
    Keep(peer, &Output::waiting, buffers_.At(buffer), length);
    Return(buffer);
  }

  void OnSent(int fd, int32_t result) {
    Peer& peer = At(fd);
    peer.sending = false;
    const size_t sent = result > 0 ? static_cast<size_t>(result) : 0;
    counters_.bytes_sent += sent;
    if (result < 0 && result != -EAGAIN && result != -EINTR) peer.broken = true;
    if (peer.buffer >= 0) {
      const char* data = buffers_.At(peer.buffer);
      if (sent < peer.length) Keep(peer, &Output::sending, data + sent, peer.length - sent);
      Return(std::exchange(peer.buffer, -1));
    } else {
      peer.output->offset += sent;
    }
    if (peer.output != nullptr) Advance(peer);
    Settle(fd);
  }

  /** Moves on to what waits where all that was being sent is taken. */
  static void Advance(Peer& peer) {
    Output& output = *peer.output;
    if (output.offset < output.sending.size()) return;
    if (output.waiting.empty()) return peer.output.reset();
    output.sending = std::exchange(output.waiting, Bytes());
    output.offset = 0;
  }

  /** Submits what this peer's state asks for next. */
  void Settle(int fd) {
    Peer& peer = At(fd);
    const bool unsent = peer.output != nullptr && !peer.broken;
    if (unsent && !peer.sending) {
      peer.sending = true;
      const Output& output = *peer.output;
      submit_.Send(fd, output.sending.data() + output.offset, output.sending.size() - output.offset,
                   true);
    }
    const bool full = unsent && allowance_ == 0;
    if (peer.receiving && !peer.cancelling && (peer.broken || full)) {
      peer.cancelling = true;
      submit_.CancelReceive(fd);
    }
    if (peer.receiving || peer.sending) return;
    if (peer.ended || peer.broken) return Close(fd);
    Receive(fd);
  }

  void Close(int fd) {
    At(fd) = Peer();
    submit_.Close(fd);
    counters_.CountClosed();
    if (accept_again_ns_ != 0) AcceptAgain();
  }

  /** The kernel lets go of every file first: a close before that would not reach the peer. */
  void EndAll() {
    submit_.CancelAll();
    const int64_t deadline = MonotonicNs() + kEndingNs;
    while (submit_.outstanding() > 0 && MonotonicNs() < deadline) {
      if (!ring_.Enter(1, kAcceptPauseNs).ok()) break;
      Completion completion;
      while (ring_.Next(&completion)) {
        submit_.OnCompletion(completion);
        if (OperationOf(completion) == Operation::kAccept && completion.result >= 0) {
          OwnedFd(completion.result).Reset();  // came in between; nobody has counted it
        }
      }
    }
    for (size_t i = 0; i < peers_.size(); ++i) {
      if (!peers_[i].open) continue;
      OwnedFd(static_cast<int>(i)).Reset();
      counters_.CountClosed();
    }
  }

  void Return(int buffer) {
    --buffers_in_use_;
    buffers_.Return(buffer);
  }

  /** A peer whose bytes find no memory is closed: an echo with a gap would be wrong. */
  static void Keep(Peer& peer, Bytes Output::* where, const char* data, size_t length) {
    if (peer.output == nullptr) peer.output.reset(new (std::nothrow) Output());
    if (peer.output == nullptr || !(*peer.output.*where).Append(data, length)) peer.broken = true;
  }

  Peer& At(int fd) { return peers_[static_cast<size_t>(fd)]; }

  static constexpr int64_t kNoDeadline = -1;

  Server& server_;
  Counters& counters_;
  IoUring& ring_;
  Submitter submit_;
  ProvidedBuffers buffers_;
  GrowableArray<Peer> peers_;   // by descriptor
  GrowableArray<int> starved_;  // whose receive found no buffer
  int buffers_in_use_ = 0;
  uint32_t allowance_ = kAllowanceBytes;
  int64_t accept_again_ns_ = 0;  // 0: it is under way
  bool said_ = false;
};

/** Multishot receive has no flag of its own to ask for; it came with an operation that has. */
Result<void> CheckMultishotReceive(IoUring& ring) {
  // IORING_REGISTER_PROBE, IORING_OP_SEND_ZC of Linux 6.0, and struct io_uring_probe, whose first
  // byte is the last operation that the kernel knows.
  constexpr uint32_t kRegisterProbe = 8;
  constexpr uint8_t kSendZeroCopy = 47;
  uint8_t probe[16] = {};
  const Result<void> asked = ring.RegisterWithKernel(kRegisterProbe, probe, 0);
  if (!asked.ok()) return asked;
  return probe[0] >= kSendZeroCopy ? Result<void>() : Error{ENOSYS, "io_uring_setup"};
}

}  // namespace

Result<void> RunIoUring(Server& server) {
  const Result<std::unique_ptr<IoUring>> ring =
      IoUring::Open(kSubmissions, kCompletions, RingUse::kOneThread);
  if (!ring.ok()) return ring.error();
  const Result<void> able = CheckMultishotReceive(*ring.value());
  if (!able.ok()) return able;
  const auto loop = std::make_unique<IoUringLoop>(server, *ring.value());
  return loop->Run();
}

#else

Result<void> RunIoUring(Server& /*server*/) { return Error{ENOSYS, "io_uring_setup"}; }

#endif  // IO_SELECTORS_HAS_IO_URING

}  // namespace io_selectors

#endif  // __linux__
