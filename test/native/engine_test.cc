// native/proactor: what an engine promises a program, over every backend of readiness and over
// io_uring.

#include "proactor/engine.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "native/fixtures.h"
#include "net/socket.h"
#include "proactor/io_uring_engine.h"
#include "proactor/readiness_engine.h"

namespace io_selectors {

namespace {

/** An engine, its rings, and what it has reported. */
class Program {
 public:
  using Make = std::function<Result<std::unique_ptr<Engine>>(const Rings&)>;

  explicit Program(const Make& make, int32_t capacity = kRingCompletions)
      : completions_(static_cast<size_t>(capacity)),
        submissions_(static_cast<size_t>(kRingSubmissions)),
        inbound_(kInboundBytes),
        outbound_(kOutboundBytes) {
    rings_.head = &head_;
    rings_.completions = completions_.data();
    rings_.completion_capacity = capacity;
    rings_.submissions = submissions_.data();
    rings_.submission_capacity = kRingSubmissions;
    rings_.inbound = inbound_.data();
    rings_.inbound_bytes = inbound_.size();
    rings_.outbound = outbound_.data();
    rings_.outbound_bytes = outbound_.size();
    engine = Must(make(rings_));
  }

  void Submit(int slot, SubmissionKind kind, int32_t offset = 0, int32_t length = 0) {
    const auto found = lives.find(slot);
    const int32_t life = found == lives.end() ? 0 : found->second;
    submissions_[static_cast<size_t>(head_.submissions++)] = {slot, {kind, life}, offset, length};
  }

  void WriteText(int slot, const std::string& text) {
    std::memcpy(outbound_.data() + head_.outbound_bytes, text.data(), text.size());
    Submit(slot, SubmissionKind::kWriteOutbound, head_.outbound_bytes,
           static_cast<int32_t>(text.size()));
    head_.outbound_bytes += static_cast<int32_t>(text.size());
  }

  /** One turn; `received` and `reported` grow. */
  int Turn(int64_t timeout_ns) {
    const Result<int> count = engine->Turn(timeout_ns);
    if (!count.ok()) return 0;  // EINTR
    for (int i = 0; i < count.value(); ++i) {
      const RingCompletion& completion = completions_[static_cast<size_t>(i)];
      reported.push_back(completion);
      const CompletionKind kind = completion.label.kind();
      if (kind == CompletionKind::kAccepted) lives[completion.slot] = completion.label.life();
      if (kind != CompletionKind::kData) continue;
      received += BytesOf(completion);
      if (echoes) {
        Submit(completion.slot, SubmissionKind::kWriteInbound, completion.offset,
               completion.length);
      }
    }
    return count.value();
  }

  /** Turns until `holds`, for as long as patience lasts. */
  bool Until(const std::function<bool()>& holds) {
    const int64_t deadline = MonotonicNs() + kPatienceNs;
    while (!holds()) {
      if (MonotonicNs() > deadline) return false;
      Turn(kMomentNs);
    }
    return true;
  }

  int Count(CompletionKind kind, int slot = -1) const {
    int count = 0;
    for (const RingCompletion& completion : reported) {
      if (completion.label.kind() == kind && (slot < 0 || completion.slot == slot)) ++count;
    }
    return count;
  }
  const RingCompletion* Last(CompletionKind kind, int slot = -1) const {
    const RingCompletion* last = nullptr;
    for (const RingCompletion& completion : reported) {
      if (completion.label.kind() == kind && (slot < 0 || completion.slot == slot)) {
        last = &completion;
      }
    }
    return last;
  }
  /** What lies where that kData was reported. */
  std::string BytesOf(const RingCompletion& data) const {
    return {reinterpret_cast<const char*>(inbound_.data()) + data.offset,
            static_cast<size_t>(data.length)};
  }

  std::unique_ptr<Engine> engine;
  std::map<int, int32_t> lives;  // by slot, those that the program knows
  std::vector<RingCompletion> reported;
  std::string received;
  bool echoes = false;

 private:
  RingHead head_{};
  std::vector<RingCompletion> completions_;
  std::vector<RingSubmission> submissions_;
  std::vector<uint8_t> inbound_;
  std::vector<uint8_t> outbound_;
  Rings rings_;
};

bool EnlistForEachEngine(const char* name, void (*run)(const Program::Make& make)) {
  for (const Backend* backend : BackendsHere()) {
    const std::string_view known = backend->name;
    Enlist(std::string(name) + "[" + backend->name + "]", [run, known] {
      run([known](const Rings& rings) { return MakeReadinessEngine(rings, known); });
    });
  }
  const Program::Make completions = [](const Rings& rings) { return MakeIoUringEngine(rings); };
  RingHead head;
  Rings probe;
  std::vector<uint8_t> inbound(kInboundBytes);
  probe.head = &head;
  probe.inbound = inbound.data();
  probe.inbound_bytes = inbound.size();
  if (!MakeIoUringEngine(probe).ok()) return false;
  Enlist(std::string(name) + "[completions]", [run, completions] { run(completions); });
  const Program::Make plain = [](const Rings& rings) {
    return MakeIoUringEngine(rings, {false, false, false, false, true, false});
  };
  Enlist(std::string(name) + "[completions, plain]", [run, plain] { run(plain); });
  return true;
}

#define ENGINE_TEST(name)                                                                \
  static void name(const Program::Make& make);                                           \
  [[maybe_unused]] static const bool name##_enlisted = EnlistForEachEngine(#name, name); \
  static void name(const Program::Make& make)

int Adopted(Program& program, OwnedFd fd, SlotOptions options = {}) {
  const int slot = fd.Release();
  program.lives[slot] = Must(program.engine->Adopt(slot, options));
  return slot;
}

void ListenOn(Program& program, const ListenerOptions& options, uint16_t* port) {
  OwnedFd listener = Must(ListenTcp({}));
  *port = Must(LocalPort(listener.get()));
  const int32_t life = Must(program.engine->Listen(listener.get(), options));
  program.lives[listener.Release()] = life;  // the engine closes it
}

OwnedFd ConnectedTo(uint16_t port) {
  ConnectOptions options;
  options.port = port;
  return Must(ConnectTcp(options));
}

std::string Pattern(size_t length) {
  std::string bytes(length, '\0');
  for (size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>(i * 31 + (i >> 8));
  return bytes;
}

/** Sends that at once. */
void SendAll(const OwnedFd& peer, const std::string& bytes) {
  CHECK_EQ(Send(peer.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

/** Writes and reads at the peer's end while the program has its turns. */
std::string Exchange(Program& program, int peer, const std::string& sent) {
  std::string back;
  size_t written = 0;
  std::vector<char> buffer(64 * 1024);
  program.Until([&] {
    if (written < sent.size()) {
      const ssize_t n = Send(peer, sent.data() + written, sent.size() - written);
      if (n > 0) written += static_cast<size_t>(n);
    }
    const ssize_t n = Receive(peer, buffer.data(), buffer.size());
    if (n > 0) back.append(buffer.data(), static_cast<size_t>(n));
    return back.size() >= sent.size();
  });
  return back;
}

}  // namespace

ENGINE_TEST(EngineEchoesEveryByte) {
  Program program(make);
  program.echoes = true;
  DescriptorPair pair = TcpPair();
  Adopted(program, std::move(pair.first));
  const std::string sent = Pattern(3'000'000);
  CHECK(Exchange(program, pair.second.get(), sent) == sent);
}

ENGINE_TEST(EngineAcceptsEndsAndCloses) {
  Program program(make);
  uint16_t port = 0;
  ListenOn(program, {}, &port);
  OwnedFd peer = ConnectedTo(port);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kAccepted) == 1; }));
  const int slot = program.Last(CompletionKind::kAccepted)->slot;
  Put(peer);
  CHECK(program.Until([&] { return program.received.size() == 1; }));
  CHECK_EQ(shutdown(peer.get(), SHUT_WR), 0);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kEnd) == 1; }));
  CHECK_EQ(program.Count(CompletionKind::kClosed), 0);
  program.WriteText(slot, "the last word");
  program.Submit(slot, SubmissionKind::kEnd);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed, slot) == 1; }));
  CHECK_EQ(program.Last(CompletionKind::kClosed)->length, 0);
  CHECK_EQ(TakeAll(peer.get()), 13u);
  CHECK(SeesTheEnd(peer.get()));
}

ENGINE_TEST(EngineJoinsTheWritesOfATurn) {
  Program program(make);
  DescriptorPair one = TcpPair();
  DescriptorPair other = TcpPair();
  const int a = Adopted(program, std::move(one.first));
  const int b = Adopted(program, std::move(other.first));
  program.Turn(0);
  const uint64_t before = program.engine->counters().send_calls;
  const uint64_t waits = program.engine->counters().wait_calls;
  for (int i = 0; i < 40; ++i) program.WriteText(i % 2 == 0 ? a : b, std::to_string(i) + ";");
  program.Turn(0);
  const bool completes = program.engine->counters().send_calls == 0;
  CHECK(completes || program.engine->counters().send_calls - before == 2);
  if (completes) CHECK_EQ(program.engine->counters().wait_calls - waits, 1u);
  std::string wanted;
  for (int i = 0; i < 40; i += 2) wanted += std::to_string(i) + ";";
  CHECK(AwaitReadable(one.second.get()));
  std::vector<char> buffer(1000);
  const ssize_t n = Receive(one.second.get(), buffer.data(), buffer.size());
  CHECK(n > 0 && std::string(buffer.data(), static_cast<size_t>(n)) == wanted);
}

ENGINE_TEST(EngineKeepsWhatAPeerDoesNotTake) {
  Program program(make);
  DescriptorPair pair = TcpPair();
  const int slot = Adopted(program, std::move(pair.first));
  const std::string sent = Pattern(20'000'000);
  const auto* bytes = reinterpret_cast<const uint8_t*>(sent.data());
  CHECK(program.engine->Write(slot, bytes, sent.size()) > 0);
  program.Submit(slot, SubmissionKind::kEnd);
  std::string back;
  std::vector<char> buffer(256 * 1024);
  CHECK(program.Until([&] {
    const ssize_t n = Receive(pair.second.get(), buffer.data(), buffer.size());
    if (n > 0) back.append(buffer.data(), static_cast<size_t>(n));
    return n == 0;
  }));
  CHECK(back == sent);
  CHECK_EQ(program.Last(CompletionKind::kQueued)->length, 0);
}

ENGINE_TEST(EngineClosesOnceWhateverHappens) {
  for (int way = 0; way < 4; ++way) {
    Program program(make);
    DescriptorPair pair = TcpPair();
    const int slot = Adopted(program, std::move(pair.first));
    if (way == 0) program.Submit(slot, SubmissionKind::kDestroy);
    if (way == 1) {  // while sending
      const std::string sent = Pattern(8'000'000);
      program.engine->Write(slot, reinterpret_cast<const uint8_t*>(sent.data()), sent.size());
      program.Submit(slot, SubmissionKind::kDestroy);
    }
    if (way >= 2) {  // a reset
      CHECK(SetResetOnClose(pair.second.get()).ok());
      pair.second.Reset();
    }
    if (way == 3) program.WriteText(slot, "unread");
    CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed) == 1; }));
    if (way >= 2) CHECK(program.Last(CompletionKind::kClosed)->length < 0);
    // A request that the program made before it knew has no effect.
    program.Submit(slot, SubmissionKind::kDestroy);
    program.WriteText(slot, "late");
    program.Turn(0);
    program.Turn(0);
    CHECK_EQ(program.Count(CompletionKind::kClosed), 1);
    if (way == 0) CHECK(SeesTheEnd(pair.second.get()));
  }
}

/** A connection with a write to a peer that has sent "last words" and closed. */
int WritingToOneThatIsGone(Program& program) {
  DescriptorPair pair = StreamPair();
  const int slot = Adopted(program, std::move(pair.first));
  program.Turn(0);
  SendAll(pair.second, "last words");
  pair.second.Reset();
  program.WriteText(slot, "x");
  return slot;
}

ENGINE_TEST(EngineReceivesWhatCameBeforeARefusedSend) {
  Program program(make);
  WritingToOneThatIsGone(program);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed) == 1; }));
  CHECK(program.received == "last words");
  CHECK_EQ(program.Last(CompletionKind::kClosed)->length, -EPIPE);
  CHECK_EQ(program.Last(CompletionKind::kClosed)->offset, 1);
}

ENGINE_TEST(EngineReceivesMoreThanItHasBuffersForBeforeRefusedSends) {
  Program program(make);
  constexpr int kPeers = 12;
  std::vector<int> slots;
  std::vector<OwnedFd> peers;
  for (int i = 0; i < kPeers; ++i) {
    DescriptorPair pair = StreamPair();
    slots.push_back(Adopted(program, std::move(pair.first)));
    peers.push_back(std::move(pair.second));
  }
  program.Turn(0);
  const std::string part(16 * 1024, 'w');
  size_t sent = 0;
  for (OwnedFd& peer : peers) {
    for (ssize_t n; (n = Send(peer.get(), part.data(), part.size())) > 0;) {
      sent += static_cast<size_t>(n);
    }
    peer.Reset();
  }
  for (const int slot : slots) program.WriteText(slot, "x");
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed) == kPeers; }));
  CHECK_EQ(program.received.size(), sent);
  CHECK_EQ(program.Last(CompletionKind::kClosed)->length, -EPIPE);
}

ENGINE_TEST(EngineClosesARefusedSlotThatIsPaused) {
  Program program(make);
  const int slot = WritingToOneThatIsGone(program);
  program.engine->Flush();
  std::string unread;
  CHECK_EQ(ErrorOf(program.engine->Detach(slot, &unread)), EBADF);
  program.Submit(slot, SubmissionKind::kPause);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed) == 1; }));
  CHECK_EQ(program.Last(CompletionKind::kClosed)->length, -EPIPE);
}

ENGINE_TEST(EnginePausesAndResumes) {
  Program program(make);
  DescriptorPair pair = TcpPair();
  SlotOptions options;
  options.paused = true;
  const int slot = Adopted(program, std::move(pair.first), options);
  Put(pair.second);
  for (int i = 0; i < 3; ++i) program.Turn(kMomentNs);
  CHECK_EQ(program.received.size(), 0u);
  program.Submit(slot, SubmissionKind::kResume);
  CHECK(program.Until([&] { return program.received.size() == 1; }));
  program.Submit(slot, SubmissionKind::kPause);
  program.Turn(0);
  program.Turn(kMomentNs);
  Put(pair.second);
  for (int i = 0; i < 3; ++i) program.Turn(kMomentNs);
  CHECK_EQ(program.received.size(), 1u);
}

ENGINE_TEST(EngineTimesWhatIsIdle) {
  Program program(make);
  DescriptorPair pair = TcpPair();
  SlotOptions options;
  options.idle_ms = 30;
  const int64_t begin = MonotonicNs();
  const int slot = Adopted(program, std::move(pair.first), options);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kIdle, slot) == 1; }));
  CHECK(MonotonicNs() - begin >= 30 * kNsPerMs);
  program.Submit(slot, SubmissionKind::kIdleTimeout, 0, 0);
  program.Turn(0);
  CHECK(program.engine->UntilDueNs() < 0);
}

TEST(IdleTimersAreNeverEarly) {
  IdleTimers timers;
  int calls = 0;
  const auto count = [&](int32_t /*slot*/) { ++calls; };
  // The clock's milliseconds are rounded down: 100.9 + 12 is not over at 112.0.
  for (const int32_t idle_ms : {12, 15, 16, 17}) {
    calls = 0;
    CHECK(timers.Set(0, idle_ms, 100));
    timers.Expire(100 + idle_ms, count);
    CHECK_EQ(calls, 0);
    for (int64_t now_ms = 101 + idle_ms; calls == 0 && now_ms < 1000; ++now_ms) {
      timers.Expire(now_ms, count);
    }
    CHECK_EQ(calls, 1);
    CHECK(timers.Set(0, 0, 0));
  }
}

ENGINE_TEST(EngineDetaches) {
  Program program(make);
  DescriptorPair pair = TcpPair();
  const int slot = Adopted(program, std::move(pair.first));
  Put(pair.second);
  CHECK(program.Until([&] { return program.received.size() == 1; }));
  Put(pair.second);
  std::string unread;
  CHECK(program.engine->Detach(slot, &unread).ok());
  const OwnedFd mine(slot);
  char byte = 0;
  if (unread.empty()) {
    CHECK(AwaitReadable(slot));
    CHECK_EQ(Receive(slot, &byte, 1), 1);
  }
  Put(mine);
  CHECK(AwaitReadable(pair.second.get()));
  CHECK_EQ(ErrorOf(program.engine->Detach(slot, &unread)), EBADF);
}

// Receives share buffers of the kernel: the connection that is detached has the second half of one.
ENGINE_TEST(EngineDetachesBesideUnreadBytes) {
  Program program(make);
  constexpr size_t kHalf = kReceiveBytes / 2;
  DescriptorPair one = StreamPair();
  DescriptorPair other = StreamPair();
  const int kept = Adopted(program, std::move(one.first));
  const int detached = Adopted(program, std::move(other.first));
  std::vector<OwnedFd> peers;
  for (size_t i = 1; i < kInboundBytes / kReceiveBytes; ++i) {
    DescriptorPair pair = StreamPair();
    Adopted(program, std::move(pair.first));
    peers.push_back(std::move(pair.second));
  }
  program.Turn(0);
  SendAll(one.second, std::string(kHalf, 'k'));
  program.engine->PrepareToBeWatched();
  SendAll(other.second, std::string(kHalf, 'd'));
  program.engine->PrepareToBeWatched();
  std::string unread;
  CHECK(program.engine->Detach(detached, &unread).ok());
  const OwnedFd mine(detached);
  CHECK_EQ(unread.size() + TakeAll(detached), kHalf);
  const std::string whole(kReceiveBytes, 'p');
  for (const OwnedFd& peer : peers) SendAll(peer, whole);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kData, kept) > 0; }));
  // These are received while the program has not read what that turn reported.
  for (const OwnedFd& peer : peers) SendAll(peer, whole);
  program.engine->Flush();
  CHECK(program.BytesOf(*program.Last(CompletionKind::kData, kept)) == std::string(kHalf, 'k'));
  const size_t all = kHalf + 2 * whole.size() * peers.size();
  CHECK(program.Until([&] { return program.received.size() == all; }));
}

ENGINE_TEST(EngineKeepsTheLivesOfANumberApart) {
  Program program(make);
  DescriptorPair old = TcpPair();
  const int slot = Adopted(program, std::move(old.first));
  const int32_t before = program.lives[slot];
  CHECK_EQ(ErrorOf(program.engine->Adopt(slot, {})), EEXIST);
  Put(old.second);
  CHECK(program.Until([&] { return program.received.size() == 1; }));
  program.Submit(slot, SubmissionKind::kDestroy);
  program.engine->Flush();
  // Over completions the kernel lets go first; the program's turns would report it.
  CHECK(program.Until([&] { return fcntl(slot, F_GETFD) < 0; }));
  DescriptorPair next = TcpPair();
  CHECK_EQ(dup2(next.first.get(), slot), slot);
  const int32_t after = Must(program.engine->Adopt(slot, {}));
  CHECK(after != before);
  // Still under its old life: this is for the one that was destroyed.
  program.WriteText(slot, "late");
  program.Submit(slot, SubmissionKind::kDestroy);
  program.Turn(0);
  program.lives[slot] = after;
  program.WriteText(slot, "x");
  program.Turn(0);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed) == 1; }));
  CHECK_EQ(program.Last(CompletionKind::kClosed)->label.life(), before);
  CHECK(AwaitReadable(next.second.get()));
  CHECK_EQ(TakeAll(next.second.get()), 1u);
  program.Submit(slot, SubmissionKind::kDestroy);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed) == 2; }));
  CHECK_EQ(program.Last(CompletionKind::kClosed)->label.life(), after);
}

ENGINE_TEST(EngineWaitsForDescriptors) {
  rlimit before{};
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Program program(make);
  uint16_t port = 0;
  ListenOn(program, {}, &port);
  std::vector<OwnedFd> peers;
  for (int i = 0; i < 8; ++i) peers.push_back(ConnectedTo(port));
  OwnedFd next(dup(0));
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next.get()) + 3;
  next.Reset();
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kAccepted) == 3; }));
  const uint64_t waits = program.engine->counters().wait_calls;
  for (int i = 0; i < 5; ++i) program.Turn(program.engine->UntilDueNs() < 0 ? kMomentNs : 0);
  CHECK(program.engine->UntilDueNs() > 0);
  CHECK(program.engine->counters().wait_calls - waits < 12);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kAccepted) == 8; }));
}

ENGINE_TEST(EngineAcceptsAsManyAsThereIsRoomFor) {
  Program program(make);
  uint16_t port = 0;
  ListenerOptions options;
  options.room = 2;
  ListenOn(program, options, &port);
  std::vector<OwnedFd> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(ConnectedTo(port));
  CHECK(program.Until([&] { return program.Count(CompletionKind::kAccepted) == 2; }));
  for (int i = 0; i < 3; ++i) program.Turn(kMomentNs);
  CHECK_EQ(program.Count(CompletionKind::kAccepted), 2);
  const int listening = program.Last(CompletionKind::kAccepted)->offset;
  program.Submit(listening, SubmissionKind::kMoreAccepts, 0, 1);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kAccepted) == 3; }));
  program.Submit(listening, SubmissionKind::kDestroy);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed, listening) == 1; }));
}

ENGINE_TEST(EngineReportsMoreThanTheRingHolds) {
  Program program(make, 8);
  std::vector<DescriptorPair> pairs;
  for (int i = 0; i < 40; ++i) pairs.push_back(TcpPair());
  for (DescriptorPair& pair : pairs) {
    Adopted(program, std::move(pair.first));
    Put(pair.second);
  }
  CHECK(program.Until([&] { return program.received.size() == 40; }));
  for (DescriptorPair& pair : pairs) pair.second.Reset();
  CHECK(program.Until([&] { return program.Count(CompletionKind::kEnd) == 40; }));
}

ENGINE_TEST(EngineDistrustsWhatIsSubmitted) {
  Program program(make);
  DescriptorPair pair = TcpPair();
  const int slot = Adopted(program, std::move(pair.first));
  const int32_t most = static_cast<int32_t>(kOutboundBytes);
  const int32_t bad[][2] = {{-1, 1}, {0, -1}, {most, 1}, {most - 1, 2}, {INT32_MAX, INT32_MAX}};
  for (const auto& [offset, length] : bad) {
    program.Submit(slot, SubmissionKind::kWriteOutbound, offset, length);
    program.Submit(slot, SubmissionKind::kWriteInbound, offset, length);
  }
  for (const int other : {-1, slot + 1, 1 << 30}) {
    program.Submit(other, SubmissionKind::kWriteOutbound, 0, 1);
    program.Submit(other, SubmissionKind::kDestroy);
  }
  program.Submit(slot, static_cast<SubmissionKind>(99));
  program.Turn(0);
  program.WriteText(slot, "x");
  program.Turn(0);
  CHECK(AwaitReadable(pair.second.get()));
  CHECK_EQ(TakeAll(pair.second.get()), 1u);
}

ENGINE_TEST(EngineGivesNoListenersLifeAgain) {
  constexpr int32_t kMost = RingLabel<CompletionKind>::kMostLives;
  if (kMost > 100'000) return;  // compile.mjs has few
  Program program(make);
  uint16_t port = 0;
  ListenOn(program, {}, &port);
  const int32_t listening = program.lives.begin()->second;
  DescriptorPair pair = TcpPair();
  for (int32_t i = 0; i < kMost + 2; ++i) {
    const int fd = pair.first.get();
    const int32_t life = Must(program.engine->Adopt(fd, {true, true, true, true, 0}));
    CHECK(life != listening && life > 0 && life <= kMost);
    std::string unread;
    CHECK(program.engine->Detach(fd, &unread).ok());
  }
  const OwnedFd peer = ConnectedTo(port);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kAccepted) == 1; }));
}

ENGINE_TEST(EngineServesADescriptorForItsOwnLifeOnly) {
  Program program(make);
  DescriptorPair pair = TcpPair();
  const int slot = Adopted(program, std::move(pair.first));
  const int32_t life = program.lives[slot];
  CHECK(program.engine->IsServing(slot, life));
  CHECK(!program.engine->IsServing(slot, life + 1));
  CHECK(!program.engine->IsServing(slot + 1000, life));
  pair.second.Reset();
  program.Submit(slot, SubmissionKind::kDestroy);
  program.Turn(0);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed) == 1; }));
  CHECK(!program.engine->IsServing(slot, life));
}

ENGINE_TEST(EngineClosesWhatWasAlwaysPaused) {
  std::vector<OwnedFd> peers;
  Program program(make);
  SlotOptions options;
  options.paused = true;
  std::vector<int> slots;
  for (int i = 0; i < 40; ++i) {
    DescriptorPair pair = TcpPair();
    slots.push_back(Adopted(program, std::move(pair.first), options));
    peers.push_back(std::move(pair.second));
  }
  for (const int slot : slots) program.Submit(slot, SubmissionKind::kDestroy);
  CHECK(program.Until([&] { return program.Count(CompletionKind::kClosed) == 40; }));
  for (const OwnedFd& peer : peers) CHECK(SeesTheEnd(peer.get()));
}

}  // namespace io_selectors
