#include "load_generator/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "load_generator/text.h"

namespace io_selectors {

namespace {

// Constants of OpenSSL's headers, which are the same in 1.1 and 3.
constexpr int kErrorSsl = 1;
constexpr int kErrorWantRead = 2;
constexpr int kErrorWantWrite = 3;
constexpr int kErrorZeroReturn = 6;
constexpr int kControlMode = 33;
constexpr int kControlHostName = 55;
constexpr long kModePartialWrite = 0x1;
constexpr long kModeMovingBuffer = 0x2;
constexpr long kModeAutoRetry = 0x4;  // tickets and other records are read over
constexpr unsigned long kNoRenegotiation = 0x40000000;
constexpr int kVerifyNone = 0;
constexpr int kVerifyPeer = 1;
constexpr unsigned long kReasonMask = 0xfff;   // version 1.1 has the function above these bits
constexpr unsigned long kUnexpectedEof = 294;  // version 3: a FIN without close_notify
constexpr unsigned long kFirstAlert = 1000;    // reasons from here on are alerts of the server

constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

bool IsNumeric(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

}  // namespace

std::string Tls::Check(const RunOptions& options) {
  const bool given =
      options.tls_insecure != 0 || !options.tls_ca.empty() || !options.tls_name.empty();
  if (options.tls == 0) return given ? "--tls-ca, --tls-name and --tls-insecure need --tls" : "";
  if (options.tls_insecure != 0 && !options.tls_ca.empty()) {
    return "--tls-ca and --tls-insecure exclude each other: one verifies, the other does not";
  }
  std::string error;
  const OpenSsl* ssl = LoadOpenSsl(&error);
  if (ssl == nullptr) return error;
  return Tls(*ssl, options, 0).failure();
}

std::unique_ptr<Tls> Tls::Make(const RunOptions& options, uint32_t slots) {
  std::string error;
  const OpenSsl* ssl = options.tls != 0 ? LoadOpenSsl(&error) : nullptr;
  return ssl == nullptr ? nullptr : std::unique_ptr<Tls>(new Tls(*ssl, options, slots));
}

Tls::Tls(const OpenSsl& ssl, const RunOptions& options, uint32_t slots)
    : ssl_(ssl),
      server_(Format("%s:%lld", options.host.c_str(), static_cast<long long>(options.port))),
      name_(options.tls_name),
      sessions_(slots) {
  // OpenSSL writes with write(2), which has no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  failure_ = Prepare(options);
}

Tls::~Tls() {
  for (uint32_t slot = 0; slot < sessions_.size(); ++slot) End(slot);
  if (context_ != nullptr) ssl_.free_context(context_);
}

std::string Tls::Prepare(const RunOptions& options) {
  ssl_.clear_errors();
  context_ = ssl_.new_context(ssl_.client_method());
  if (context_ == nullptr) return "--tls: OpenSSL has made no context (SSL_CTX_new)";
  const long modes = kModePartialWrite | kModeMovingBuffer | kModeAutoRetry;
  ssl_.control_context(context_, kControlMode, modes, nullptr);
  ssl_.set_options(context_, kNoRenegotiation);
  ssl_.set_quiet_shutdown(context_, options.Resets() ? 1 : 0);
  if (options.protocol.name == ProtocolName::kHttp) {
    ssl_.set_alpn(context_, kHttp11, sizeof(kHttp11));
  }
  return Verify(options);
}

/** Who may have signed the server's certificate, and what name or address it has to hold. */
std::string Tls::Verify(const RunOptions& options) {
  ssl_.set_verify(context_, options.tls_insecure != 0 ? kVerifyNone : kVerifyPeer, nullptr);
  if (options.tls_insecure != 0) return "";
  if (options.tls_ca.empty()) {
    ssl_.use_system_authorities(context_);
  } else if (ssl_.load_authorities(context_, options.tls_ca.c_str(), nullptr) != 1) {
    const char* reason = ssl_.reason_text(ssl_.next_error());
    return Format("--tls-ca: %s holds no certificates that can be read (%s)",
                  options.tls_ca.c_str(), reason != nullptr ? reason : "PEM is expected");
  }
  const std::string& expected = name_.empty() ? options.host : name_;
  SslVerification* verification = ssl_.verification_of(context_);
  const int set = IsNumeric(expected) ? ssl_.expect_address(verification, expected.c_str())
                                      : ssl_.expect_name(verification, expected.c_str(), 0);
  return set == 1 ? "" : Format("--tls-name: \"%s\" is not the name of a host", expected.c_str());
}

void Tls::Begin(uint32_t slot, int fd) {
  End(slot);
  Session& session = sessions_[slot];
  session.ssl = ssl_.new_session(context_);
  if (session.ssl == nullptr) return;  // out of memory: Shake() fails
  ssl_.set_fd(session.ssl, fd);
  ssl_.set_connect_state(session.ssl);
  // An address is no server name. RFC 6066, 3
  if (name_.empty() || IsNumeric(name_)) return;
  ssl_.control_session(session.ssl, kControlHostName, 0, const_cast<char*>(name_.c_str()));
}

Tls::Step Tls::Shake(uint32_t slot, int* error) {
  Session& session = sessions_[slot];
  *error = ENOMEM;
  if (session.ssl == nullptr) return Step::kEnded;
  ssl_.clear_errors();
  errno = 0;
  const int returned = ssl_.do_handshake(session.ssl);
  const int saved_errno = errno;
  session.ready = returned == 1;
  if (session.ready) return Step::kDone;
  const int kind = ssl_.get_error(session.ssl, returned);
  if (kind == kErrorWantRead) return Step::kWantsRead;
  if (kind == kErrorWantWrite) return Step::kWantsWrite;
  const ssize_t result = ResultOf(session, returned, saved_errno);
  *error = static_cast<int>(-result);
  return *error == EPROTO ? Step::kFailed : Step::kEnded;
}

ssize_t Tls::Send(uint32_t slot, const void* buffer, size_t length) {
  Session& session = sessions_[slot];
  // A kept record is encrypted already: OpenSSL asks for its length again, and reads no bytes.
  const size_t wanted = std::max(std::min(length, kLongestRecord), size_t{session.kept});
  ssl_.clear_errors();
  errno = 0;
  const int written = ssl_.write(session.ssl, buffer, static_cast<int>(wanted));
  const int saved_errno = errno;
  session.kept = 0;
  if (written > 0) return written;
  const ssize_t result = ResultOf(session, written, saved_errno);
  if (result == -EAGAIN) session.kept = static_cast<uint32_t>(wanted);
  return result == 0 ? -EPIPE : result;
}

ssize_t Tls::Receive(uint32_t slot, void* buffer, size_t length) {
  Session& session = sessions_[slot];
  ssl_.clear_errors();
  errno = 0;
  const int read = ssl_.read(session.ssl, buffer, static_cast<int>(length));
  const int saved_errno = errno;
  return read > 0 ? read : ResultOf(session, read, saved_errno);
}

/**
 * What a call that did not succeed amounts to: 0 for the peer's end, or -errno. An end without
 * close_notify may have been cut off, as by a reset. RFC 9112, 9.8
 */
ssize_t Tls::ResultOf(const Session& session, int returned, int saved_errno) {
  switch (ssl_.get_error(session.ssl, returned)) {
    case kErrorWantRead:
    case kErrorWantWrite:
      return -EAGAIN;
    case kErrorZeroReturn:
      return 0;
    case kErrorSsl: {
      const unsigned long error = ssl_.next_error();
      if ((error & kReasonMask) == kUnexpectedEof) return -ECONNRESET;
      NoteFailure(session, error);
      return -EPROTO;
    }
    default:  // SSL_ERROR_SYSCALL: in version 1.1 without an errno it is a FIN
      return saved_errno == 0 ? -ECONNRESET : -saved_errno;
  }
}

void Tls::NoteFailure(const Session& session, unsigned long error) {
  if (!failure_.empty()) return;
  const char* text = ssl_.reason_text(error);
  const long verified = ssl_.verify_result(session.ssl);
  const std::string reason = text != nullptr ? text : Format("error %lu", error);
  failure_ = Format("TLS with %s failed: %s", server_.c_str(), reason.c_str());
  if (!session.ready && verified != 0) {
    failure_ += Format(
        ": %s; --tls-ca FILE names its issuer, --tls-name the name in it, and --tls-insecure "
        "accepts any certificate",
        ssl_.verify_text(verified));
  } else if (!session.ready && (error & kReasonMask) < kFirstAlert) {
    failure_ += "; the server may not speak TLS on this port";
  }
}

void Tls::End(uint32_t slot) {
  Session& session = sessions_[slot];
  if (session.ssl == nullptr) return;
  ssl_.clear_errors();
  if (session.ready) ssl_.shutdown(session.ssl);
  ssl_.free_session(session.ssl);
  session = Session{};
}

}  // namespace io_selectors
