// Churn: connections that open and close. Each slot connects, sends one request and checks its
// answer, resets the connection, so that no TIME_WAIT stays, and starts again. Without an echo,
// only one connection in sixteen sends its request, and the server's accepting bounds the rate. One
// cycle counts as a message; its latency is from connect(2) to its end, the handshake of TLS
// included.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/selector.h"
#include "load_generator/alarm.h"
#include "load_generator/options.h"
#include "load_generator/protocol.h"
#include "load_generator/share.h"
#include "load_generator/sources.h"
#include "load_generator/tally.h"
#include "load_generator/timeline.h"
#include "load_generator/tls.h"
#include "load_generator/window.h"

namespace io_selectors {

class Churn {
 public:
  /** @param unmeasured counts what falls outside of the measured windows */
  Churn(Selector& selector, const RunOptions& options, const Share& share, Window* unmeasured);
  ~Churn();
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  /** One cycle in every slot. @returns why that took too long, or nothing. */
  std::string Prepare();

  /** @param windows as many as the options say. @returns why it could not go on, or nothing. */
  std::string Run(Timeline& timeline, Window* windows);

  uint32_t slots() const { return static_cast<uint32_t>(slots_.size()); }
  Tally Sum() const;

 private:
  enum class State : uint8_t { kIdle, kConnecting, kShaking, kSending, kReceiving };

  struct Slot {
    int64_t began_ns = 0;
    int64_t sent_ns = 0;  // the first byte of the request
    uint64_t cycle = 0;
    uint32_t sent = 0;      // bytes
    uint32_t received = 0;  // bytes
    int fd = -1;
    State state = State::kIdle;
  };

  std::string RunUntil(int64_t end_ns, bool again);
  std::string Turn(int64_t timeout_ns);
  void StartIdle();
  void Start(uint32_t id);
  void Shake(uint32_t id);
  void Speak(uint32_t id);
  bool Echoes(const Slot& slot) const;
  void OnEvent(uint32_t id);
  void SendMore(uint32_t id);
  void ReceiveMore(uint32_t id);
  void OnPeerEnd(uint32_t id, int error);
  bool Take(uint32_t id, const unsigned char* data, size_t length);
  void Watch(uint32_t id, int32_t interest);
  void Finish(uint32_t id);
  void Fail(uint32_t id, int error);
  void Close(uint32_t id);
  Exchange ExchangeOf(uint32_t id) const { return {first_id_ + id, slots_[id].cycle}; }
  void NoteFault(Tally* tally, uint32_t id, const Faulty& found) const;

  Selector& selector_;
  const RunOptions& options_;
  uint32_t first_id_;
  Sources sources_;
  Result<Address> address_;
  Alarm alarm_;
  std::vector<Slot> slots_;
  std::unique_ptr<Protocol> protocol_;
  std::unique_ptr<Tls> tls_;     // nullptr: plain TCP
  std::vector<uint32_t> idle_;   // slots that are to begin
  std::vector<uint32_t> by_fd_;  // grows to the largest descriptor, in Prepare()
  std::vector<ReadyEvent> ring_;
  std::vector<unsigned char> buffer_;
  Window* unmeasured_;
  Window* window_;
  int64_t not_before_ns_ = 0;
  int64_t last_finished_ns_ = 0;
  int last_error_ = 0;
  Tally tally_;
};

}  // namespace io_selectors
