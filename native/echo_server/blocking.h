// Blocking handlers: with --block-ms a server sleeps for some of its messages, which stands for a
// blocking system call or library inside a handler. The messages themselves decide: those whose
// first byte is below a bound. Their bytes are evenly distributed, so the bound sets the share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace io_selectors {

struct Blocking {
  int64_t ms = 0;  // 0: no handler blocks
  int64_t below = 1;
  int64_t message_bytes = 64;
};

/** The blocking calls of one thread, for all the connections that it serves. */
class BlockingCalls {
 public:
  explicit BlockingCalls(const Blocking& blocking) : blocking_(blocking) {}

  bool enabled() const { return blocking_.ms > 0; }

  /** @returns how many messages that block begin in these bytes. */
  int64_t CountIn(int connection, const char* data, size_t length);

  /** Makes so many blocking calls, one after the other. */
  void Sleep(int64_t calls) const;

  /** Both. */
  void Run(int connection, const char* data, size_t length) {
    Sleep(CountIn(connection, data, length));
  }

  /** The connection is closed: its number may soon be another's. */
  void Forget(int connection) { bytes_of_.erase(connection); }

 private:
  Blocking blocking_;
  std::unordered_map<int, size_t> bytes_of_;  // received of the message that is incomplete
};

}  // namespace io_selectors
