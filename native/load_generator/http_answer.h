// HttpAnswer: reads one HTTP/1.1 answer as it comes, in pieces of any size, without a copy of it,
// and compares it with what was expected. RFC 9112
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "load_generator/protocol.h"
#include "load_generator/request_spec.h"
#include "load_generator/sha256.h"

namespace io_selectors {

struct ExpectedAnswer {
  RequestSpec spec;

  /** Whether an answer with this status has a body at all. RFC 9112, 6.3 */
  bool HasBody(int status) const { return spec.method != "HEAD" && status != 204 && status != 304; }
};

class HttpAnswer {
 public:
  /** @param hash of this slot; nullptr if no body is hashed */
  Taken Take(const ExpectedAnswer& expected, Sha256* hash, const unsigned char* data,
             size_t length);

  /** The peer's end of the connection, which ends no body if it is a reset. RFC 9112, 8 */
  Taken End(Sha256* hash, bool reset);

  bool complete() const { return phase_ == Phase::kComplete; }

  /** What is wrong with it, once it has begun; valid until the next answer's first byte. */
  std::string Explain(const RequestSpec& spec, Fault fault, const std::string& data) const;

 private:
  enum class Phase : uint8_t {
    kStart,
    kStatusLine,
    kHeaders,
    kBody,        // of a known length
    kUntilClose,  // of whatever length
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailers,
    kComplete,
  };

  size_t TakeLine(const unsigned char* data, size_t length, Taken* taken);
  void OnLine(Taken* taken);
  void OnStatusLine(Taken* taken);
  void OnHeader(Taken* taken);
  void OnHeadersEnd(Taken* taken);
  void OnChunkSize(Taken* taken);
  size_t TakeBody(const unsigned char* data, size_t length, Taken* taken);
  size_t CountExpected(const unsigned char* data, size_t length) const;
  void Complete(Taken* taken);
  void Break(Taken* taken);
  void Fail(Fault fault, Taken* taken);
  const char* LineName() const;

  // Longer ones are status lines and headers of which only the beginning matters.
  static constexpr size_t kLineBytes = 96;

  const ExpectedAnswer* expected_ = nullptr;
  Sha256* hash_ = nullptr;
  uint64_t remaining_ = 0;  // of the body or the chunk
  uint64_t body_bytes_ = 0;
  uint32_t head_bytes_ = 0;
  uint32_t line_bytes_ = 0;  // of the current line, kept or not
  int16_t status_ = 0;
  Phase phase_ = Phase::kStart;
  bool has_length_ = false;
  bool chunked_ = false;
  bool closes_ = false;
  bool has_close_ = false;  // the token of the header Connection
  bool broken_ = false;     // its current line cannot be understood
  bool compares_ = true;    // false: it is wrong already
  bool whole_ = true;       // the line ends where what is kept of it ends
  uint8_t kept_ = 0;        // bytes of the line
  std::array<char, kLineBytes> line_{};
};

}  // namespace io_selectors
