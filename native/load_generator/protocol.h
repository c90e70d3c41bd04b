// Protocol: what travels over a connection: the bytes of each request, and what counts as its
// answer. Traffic and Churn move the bytes and keep the time; a protocol is one file and one row in
// protocols.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace io_selectors {

/** What can be wrong with an answer; each kind is counted by itself, the first of each is quoted.
 */
enum class Fault : uint8_t {
  kWrong,    // other bytes than expected, or bytes that are no answer of this protocol
  kShort,    // the answer ended before it was complete
  kLate,     // no answer until the end of the run, or none within the limit
  kStatus,   // another status than expected
  kClosed,   // the server closed or reset the connection while a request was under way
  kDoubled,  // bytes that answer no request
  kTls,      // TLS failed: the handshake, or a record after it
};
constexpr size_t kFaultKinds = 7;

/** Names one request of a run: the `number`-th, from 0, of that connection. */
struct Exchange {
  uint32_t connection;
  uint64_t number;
};

/** How far an exchange has come, in bytes. */
struct ExchangeProgress {
  size_t sent;      // of the request; 0: the server has seen nothing of it
  size_t received;  // of the answer
};

/** What Take() made of some received bytes. */
struct Taken {
  size_t skipped = 0;     // bytes in front of any answer, such as the server's greeting
  size_t bytes = 0;       // that belong to this answer; after a fault: before the first wrong one
  bool complete = false;  // the answer has ended
  bool closes = false;    // the server ends the connection with this answer
  bool broken = false;    // nothing that follows on this connection can be understood
  bool faulty = false;
  Fault fault = Fault::kWrong;  // where faulty
};

/**
 * All memory is allocated by the constructor; only Explain() allocates after it.
 * A slot is the index of a connection within this process, from 0. Requests of one connection are
 * answered in their order.
 */
class Protocol {
 public:
  virtual ~Protocol() = default;
  Protocol() = default;
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;

  /** The length of that request: at least 1. */
  virtual size_t RequestBytes(const Exchange& exchange) const = 0;

  /** The length of the longest request. */
  virtual size_t LongestRequest() const = 0;

  /** Writes the request's bytes from `offset` on, `length` of them, to `out`. */
  virtual void Fill(const Exchange& exchange, size_t offset, unsigned char* out,
                    size_t length) const = 0;

  /** A connection of that slot begins: whatever was received on its predecessor is forgotten. */
  virtual void Begin(uint32_t /*slot*/) {}

  /**
   * Takes received bytes for the oldest unanswered exchange of a slot.
   * Consumes all of them, or up to where the answer is complete, faulty or broken.
   */
  virtual Taken Take(uint32_t slot, const Exchange& exchange, const ExchangeProgress& progress,
                     const unsigned char* data, size_t length) = 0;

  /** Whether the server has still to speak first on this connection. */
  virtual bool Speaks(uint32_t /*slot*/) const { return false; }

  /** Whether a server may close a connection on which no request is under way. */
  virtual bool MayCloseIdle() const { return false; }

  /**
   * The peer has ended the connection while a request was under way: complete, or a fault.
   * @param reset instead of closed: what had come of an answer may not be all of it
   */
  virtual Taken End(uint32_t /*slot*/, const ExchangeProgress& /*progress*/, bool /*reset*/) {
    Taken taken;
    taken.broken = taken.faulty = true;
    taken.fault = Fault::kClosed;
    return taken;
  }

  /**
   * One line about a fault, which quotes what came. @param data what Take() was given, from the
   * first wrong byte on; empty if nothing came
   */
  virtual std::string Explain(uint32_t slot, const Exchange& exchange,
                              const ExchangeProgress& progress, Fault fault,
                              const std::string& data) const = 0;
};

}  // namespace io_selectors
