#include "load_generator/http_answer.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "load_generator/text.h"

namespace io_selectors {

namespace {

// No server sends that much before the body; a stream without end is no answer.
constexpr uint32_t kMostHeadBytes = 1 << 20;
constexpr uint64_t kMostBodyBytes = uint64_t{1} << 60;

/** The value of a header if the line is that header, without the space around it. */
bool HeaderValue(const char* line, const char* name, std::size_t* from) {
  const size_t length = std::strlen(name);
  if (strncasecmp(line, name, length) != 0 || line[length] != ':') return false;
  *from = length + 1;
  while (line[*from] == ' ' || line[*from] == '\t') ++*from;
  return true;
}

/** Whether a list of tokens holds that one. RFC 9110, 5.6.1 */
bool HasToken(const char* list, const char* token) {
  const size_t length = std::strlen(token);
  for (const char* at = list; *at != '\0';) {
    while (*at == ' ' || *at == ',' || *at == '\t') ++at;
    const size_t span = std::strcspn(at, " ,;\t");
    if (span == length && strncasecmp(at, token, length) == 0) return true;
    at += std::strcspn(at, ",");
  }
  return false;
}

/**
 * Reads a Content-Length (base 10), or the size of a chunk (base 16) that an extension may follow.
 * @param whole whether the line ends where the text does; else digits may be missing
 * @returns false if it is no number, too large a one, or followed by something else
 */
bool ReadLength(const char* text, unsigned base, bool whole, uint64_t* value) {
  *value = 0;
  const char* at = text;
  for (; std::isxdigit(static_cast<unsigned char>(*at)) != 0; ++at) {
    const int c = std::tolower(static_cast<unsigned char>(*at));
    const unsigned digit = static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    if (digit >= base || *value >= kMostBodyBytes) return false;
    *value = *value * base + digit;
  }
  if (at == text) return false;
  while (*at == ' ' || *at == '\t') ++at;
  return *at == '\0' ? whole : *at == ';' && base == 16;
}

}  // namespace

Taken HttpAnswer::Take(const ExpectedAnswer& expected, Sha256* hash, const unsigned char* data,
                       size_t length) {
  if (phase_ == Phase::kComplete || phase_ == Phase::kStart) {
    *this = HttpAnswer{};
    phase_ = Phase::kStatusLine;
    if (hash != nullptr) *hash = Sha256{};
  }
  expected_ = &expected;
  hash_ = expected.spec.sha256.empty() ? nullptr : hash;
  Taken taken;
  while (taken.bytes < length && !taken.complete && !taken.faulty) {
    const bool body =
        phase_ == Phase::kBody || phase_ == Phase::kUntilClose || phase_ == Phase::kChunk;
    const unsigned char* next = data + taken.bytes;
    const size_t left = length - taken.bytes;
    taken.bytes += body ? TakeBody(next, left, &taken) : TakeLine(next, left, &taken);
  }
  return taken;
}

Taken HttpAnswer::End(Sha256* hash, bool reset) {
  Taken taken;
  taken.closes = true;
  if (phase_ == Phase::kUntilClose && !reset) {
    hash_ = expected_->spec.sha256.empty() ? nullptr : hash;
    Complete(&taken);
  } else {
    taken.broken = true;
    Fail(Fault::kShort, &taken);
  }
  return taken;
}

/** Takes up to the end of a line. @returns how many bytes belong to it. */
size_t HttpAnswer::TakeLine(const unsigned char* data, size_t length, Taken* taken) {
  const void* end = std::memchr(data, '\n', length);
  const size_t part =
      end == nullptr ? length : static_cast<size_t>(static_cast<const unsigned char*>(end) - data);
  if (line_bytes_ < kLineBytes - 1) {
    const size_t kept = std::min(part, kLineBytes - 1 - line_bytes_);
    std::memcpy(line_.data() + line_bytes_, data, kept);
  }
  line_bytes_ += static_cast<uint32_t>(part);
  head_bytes_ += static_cast<uint32_t>(part);
  kept_ = static_cast<uint8_t>(std::min<size_t>(line_bytes_, kLineBytes - 1));
  line_[kept_] = '\0';
  if (head_bytes_ > kMostHeadBytes) Break(taken);
  // What can be no status line is no answer, and is quoted from its first byte on.
  if (phase_ == Phase::kStatusLine && line_bytes_ >= 5 &&
      std::memcmp(line_.data(), "HTTP/", 5) != 0) {
    Break(taken);
    return 0;
  }
  if (end == nullptr || taken->broken) return part;
  whole_ = kept_ == line_bytes_;
  if (whole_ && kept_ > 0 && line_[kept_ - 1] == '\r') line_[--kept_] = '\0';
  line_bytes_ = 0;
  // No line may hold a NUL: RFC 9110, 5.5.
  if (std::memchr(line_.data(), '\0', kept_) != nullptr) {
    Break(taken);
  } else {
    OnLine(taken);
  }
  return part + 1;
}

void HttpAnswer::OnLine(Taken* taken) {
  switch (phase_) {
    case Phase::kStatusLine:
      return OnStatusLine(taken);
    case Phase::kHeaders:
      return kept_ == 0 ? OnHeadersEnd(taken) : OnHeader(taken);
    case Phase::kChunkSize:
      return OnChunkSize(taken);
    case Phase::kChunkEnd:
      if (kept_ > 0) return Break(taken);
      phase_ = Phase::kChunkSize;
      return;
    case Phase::kTrailers:
      return kept_ == 0 ? Complete(taken) : void();
    default:
      return Break(taken);
  }
}

void HttpAnswer::OnStatusLine(Taken* taken) {
  const char* line = line_.data();
  const auto digit = [line](size_t at) {
    return std::isdigit(static_cast<unsigned char>(line[at])) != 0;
  };
  const bool good = std::strncmp(line, "HTTP/1.", 7) == 0 && digit(7) && line[8] == ' ' &&
                    digit(9) && digit(10) && digit(11) && (line[12] == ' ' || line[12] == '\0');
  if (!good) return Break(taken);
  status_ = static_cast<int16_t>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  closes_ = line[7] == '0';
  has_close_ = false;
  phase_ = Phase::kHeaders;
}

void HttpAnswer::OnHeader(Taken* taken) {
  const char* line = line_.data();
  size_t from = 0;
  if (HeaderValue(line, "content-length", &from)) {
    // Different ones make the length of the body a matter of opinion: RFC 9112, 6.3.
    const uint64_t before = std::exchange(remaining_, 0);
    const bool again = std::exchange(has_length_, true);
    const bool read = ReadLength(line + from, 10, whole_, &remaining_);
    if (!read || (again && remaining_ != before)) Break(taken);
  } else if (HeaderValue(line, "transfer-encoding", &from)) {
    chunked_ = chunked_ || HasToken(line + from, "chunked");
    if (!whole_) Break(taken);  // whether it is chunked may be in what was not kept
  } else if (HeaderValue(line, "connection", &from)) {
    // `close` takes precedence, wherever it is: RFC 9112, 9.3.
    has_close_ = has_close_ || HasToken(line + from, "close");
    if (has_close_ || HasToken(line + from, "keep-alive")) closes_ = has_close_;
  }
}

void HttpAnswer::OnHeadersEnd(Taken* taken) {
  if (status_ < 200 && status_ != 101) {  // an interim answer: the real one follows
    phase_ = Phase::kStatusLine;
    has_length_ = chunked_ = false;
    remaining_ = 0;
    return;
  }
  if (status_ != expected_->spec.status) Fail(Fault::kStatus, taken);
  if (!expected_->HasBody(status_)) {
    Complete(taken);
  } else if (chunked_) {
    phase_ = Phase::kChunkSize;
  } else if (has_length_) {
    phase_ = Phase::kBody;
    if (remaining_ == 0) Complete(taken);
  } else {
    phase_ = Phase::kUntilClose;
    closes_ = true;
  }
}

void HttpAnswer::OnChunkSize(Taken* taken) {
  if (!ReadLength(line_.data(), 16, whole_, &remaining_)) return Break(taken);
  head_bytes_ = 0;  // of trailers from now on: an answer may have any number of chunks
  phase_ = remaining_ > 0 ? Phase::kChunk : Phase::kTrailers;
}

size_t HttpAnswer::TakeBody(const unsigned char* data, size_t length, Taken* taken) {
  const bool ends = phase_ != Phase::kUntilClose;
  const size_t part = ends ? static_cast<size_t>(std::min<uint64_t>(length, remaining_)) : length;
  const size_t good = compares_ ? CountExpected(data, part) : part;
  if (hash_ != nullptr && compares_) hash_->Add(data, good);
  body_bytes_ += good;
  if (ends) remaining_ -= good;
  if (good < part) {  // the rest is passed over: an answer that is wrong has an end as well
    Fail(Fault::kWrong, taken);
    return good;
  }
  if (!ends || remaining_ > 0) return part;
  if (phase_ == Phase::kChunk) {
    phase_ = Phase::kChunkEnd;
  } else {
    Complete(taken);
  }
  return part;
}

/** @returns how many bytes of the body are as expected before the first that is not. */
size_t HttpAnswer::CountExpected(const unsigned char* data, size_t length) const {
  if (!expected_->spec.has_expected_body) return length;
  const std::string& body = expected_->spec.expected_body;
  const size_t from = static_cast<size_t>(std::min<uint64_t>(body_bytes_, body.size()));
  const size_t compared = std::min(length, body.size() - from);
  const char* wanted = body.data() + from;
  if (std::memcmp(data, wanted, compared) == 0) return compared;
  size_t good = 0;
  while (static_cast<char>(data[good]) == wanted[good]) ++good;
  return good;
}

void HttpAnswer::Complete(Taken* taken) {
  phase_ = Phase::kComplete;
  taken->complete = true;
  taken->closes = closes_;
  if (!compares_) return;
  const RequestSpec& spec = expected_->spec;
  if (spec.has_expected_body && body_bytes_ < spec.expected_body.size()) {
    return Fail(Fault::kShort, taken);
  }
  if (hash_ == nullptr) return;
  const Sha256::Digest digest = hash_->End();
  if (std::memcmp(digest.data(), spec.sha256.data(), digest.size()) != 0) {
    Fail(Fault::kWrong, taken);
  }
}

/** What follows cannot be understood. */
void HttpAnswer::Break(Taken* taken) {
  broken_ = taken->broken = true;
  Fail(Fault::kWrong, taken);
}

void HttpAnswer::Fail(Fault fault, Taken* taken) {
  compares_ = false;
  taken->faulty = true;
  taken->fault = fault;
}

/** What the current line should have been. */
const char* HttpAnswer::LineName() const {
  switch (phase_) {
    case Phase::kHeaders:
      return "valid header";
    case Phase::kChunkSize:
      return "size of a chunk";
    case Phase::kChunkEnd:
      return "end of a chunk";
    case Phase::kTrailers:
      return "valid trailer";
    default:
      return "HTTP answer";
  }
}

std::string HttpAnswer::Explain(const RequestSpec& spec, Fault fault,
                                const std::string& data) const {
  const unsigned long long body = body_bytes_;
  if (fault == Fault::kStatus) {
    return Format("status %d, expected %lld", status_, static_cast<long long>(spec.status));
  }
  if (fault == Fault::kLate) {
    return phase_ == Phase::kComplete
               ? Format("late; all of its answer was there, a body of %llu bytes", body)
               : Format("late; %llu bytes of the answer's body were there", body);
  }
  if (fault == Fault::kShort) {
    return phase_ == Phase::kComplete
               ? Format("a body of %llu bytes, expected %zu", body, spec.expected_body.size())
               : Format("the connection was closed after %llu bytes of the answer's body", body);
  }
  if (broken_) return Quote(std::string(line_.data(), kept_)) + " is no " + LineName();
  if (!spec.has_expected_body) return "the answer's body has another SHA-256 than expected";
  const size_t from = static_cast<size_t>(std::min<uint64_t>(body, spec.expected_body.size()));
  return Format("byte %llu of the body on is %s, expected %s", body, Quote(data).c_str(),
                Quote(spec.expected_body.substr(from)).c_str());
}

}  // namespace io_selectors
