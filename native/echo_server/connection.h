// The connection handler that all strategies share. It sends back the bytes that it receives. If a
// peer does not take them, it keeps them, stops reading, and continues when the socket is writable.
#pragma once

#include <memory>

#include "core/memory.h"
#include "core/owned_fd.h"
#include "echo_server/blocking.h"
#include "echo_server/server.h"

namespace io_selectors {

/** What a connection waits for next; kWorker: for the calls that block, before it is written to. */
enum class Next { kRead, kWrite, kClose, kWorker };

/** Where the calls of a message that blocks are made. */
enum class BlocksIn { kThisThread, kWorker };

/** What a peer has not taken yet. */
struct Unsent : FromPeerMemory {
  PeerBytes bytes;
  size_t size = 0;
  size_t offset = 0;
};

/** One peer: 16 bytes while it takes what it is sent, so that a million fit. Holds at most one read
 * buffer's worth of unsent bytes, so memory is bounded whatever the peer does. */
struct Connection {
  OwnedFd fd;
  std::unique_ptr<Unsent> unsent;

  bool blocked() const { return unsent != nullptr; }
};

class EchoHandler {
 public:
  EchoHandler(Counters& counters, const Blocking& blocking,
              BlocksIn blocks_in = BlocksIn::kThisThread)
      : counters_(counters), blocking_(blocking), blocks_in_(blocks_in) {}

  /** Receives once and sends back what came; kRead if nothing was there. If a worker has to block
   * for it, it is kept, to be sent by OnWritable(). A connection whose unsent bytes find no memory
   * is to be closed. */
  Next OnReadable(Connection& connection);

  /** Sends what was kept. */
  Next OnWritable(Connection& connection);

  /** Whether the last OnReadable() took all that was there: fewer bytes than asked for, or none.
   * The end of the stream may still wait behind them. epoll(7), Q9 */
  bool drained() const { return drained_; }

  /** How many calls block for what the last OnReadable() kept, if it returned kWorker. */
  int64_t blocking_calls() const { return blocking_calls_; }

 private:
  /** @returns false if there is no memory for it. */
  static bool Keep(Connection& connection, const char* data, size_t length);

  /** @returns bytes taken, 0 if the peer's window is full, or -errno. */
  ssize_t SendSome(int fd, const char* data, size_t length);

  /** @returns kClose, having forgotten what was known of it. */
  Next Closed(int fd);

  Counters& counters_;
  BlockingCalls blocking_;
  BlocksIn blocks_in_;
  int64_t blocking_calls_ = 0;
  bool drained_ = false;
  char buffer_[kReadBufferBytes];
};

}  // namespace io_selectors
