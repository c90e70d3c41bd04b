// Tls: the TLS sessions of the connections of one process, over their non-blocking sockets. It
// stands between Traffic or Churn and the socket: its calls have the results of Send and Receive.
// Every session begins with a full handshake. RFC 8446, RFC 5246
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load_generator/openssl.h"
#include "load_generator/options.h"

namespace io_selectors {

class Tls {
 public:
  /** How far a handshake has come. */
  enum class Step { kDone, kWantsRead, kWantsWrite, kEnded, kFailed };

  /** The bytes that Send() takes at most, and that its buffer must have. RFC 8446, 5.1 */
  static constexpr size_t kLongestRecord = 16'384;

  /** @returns why these options cannot be used here, or nothing; reads the authorities' file. */
  static std::string Check(const RunOptions& options);

  /** @param slots connections of this process. @returns nullptr without --tls. */
  static std::unique_ptr<Tls> Make(const RunOptions& options, uint32_t slots);

  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  /** A connection of that slot begins; its socket may still be connecting. */
  void Begin(uint32_t slot, int fd);

  /** Whether the handshake is over. */
  bool Ready(uint32_t slot) const { return sessions_[slot].ready; }

  /** Continues the handshake. @param error the errno, with kEnded */
  Step Shake(uint32_t slot, int* error);

  /**
   * Encrypts and sends up to one record. After -EAGAIN that record is kept, and the next call sends
   * it before anything else, so `buffer` is always readable for kLongestRecord bytes.
   * @returns bytes taken, which are those of a kept record if there is one; or -errno: -EPROTO
   *   after failure() was set
   */
  ssize_t Send(uint32_t slot, const void* buffer, size_t length);

  /** As Receive(), a record at most. @param length at least kLongestRecord */
  ssize_t Receive(uint32_t slot, void* buffer, size_t length);

  /** Sends close_notify, unless connections end by a reset, and forgets the session. */
  void End(uint32_t slot);

  /** What went wrong first in TLS itself; empty: nothing. */
  const std::string& failure() const { return failure_; }

 private:
  struct Session {
    SslSession* ssl = nullptr;
    uint32_t kept = 0;  // bytes of the record that is not sent in full
    bool ready = false;
  };

  Tls(const OpenSsl& ssl, const RunOptions& options, uint32_t slots);

  std::string Prepare(const RunOptions& options);
  std::string Verify(const RunOptions& options);
  ssize_t ResultOf(const Session& session, int returned, int saved_errno);
  void NoteFailure(const Session& session, unsigned long error);

  const OpenSsl& ssl_;
  std::string server_;  // for messages: address and port
  std::string name_;    // SNI; empty: none
  SslContext* context_ = nullptr;
  std::vector<Session> sessions_;
  std::string failure_;
};

}  // namespace io_selectors
