// The connection handler that all strategies share: what is received is sent back; what cannot be
// sent is kept, reading stops, and write readiness resumes it. Enters: readiness (or, for threads,
// a blocking socket). Leaves: what to wait for.
#pragma once

#include <string>

#include "core/owned_fd.h"
#include "echo_server/server.h"

namespace io_selectors {

/** What a connection waits for next. */
enum class Next { kRead, kWrite, kClose };

/** One peer. Holds at most one read buffer's worth of unsent bytes, so memory is bounded whatever
 * the peer does. */
struct Connection {
  OwnedFd fd;
  std::string unsent;
  size_t unsent_offset = 0;

  bool blocked() const { return !unsent.empty(); }
};

class EchoHandler {
 public:
  explicit EchoHandler(Counters& counters) : counters_(counters) {}

  /** Receives once and sends back what came. Also right where nothing is there: the answer is kRead
   * then. */
  Next OnReadable(Connection& connection);

  /** Sends what was kept. */
  Next OnWritable(Connection& connection);

 private:
  /** @returns bytes taken, 0 where the peer's window is full, or -errno. */
  ssize_t SendSome(int fd, const char* data, size_t length);

  Counters& counters_;
  char buffer_[kReadBufferBytes];
};

}  // namespace io_selectors
