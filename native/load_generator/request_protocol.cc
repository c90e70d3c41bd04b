// request: sends bytes that the options give. An answer is fixed bytes, or has a given length, ends
// with a delimiter, or begins with its length. This is enough for Redis, memcached, SMTP and most
// custom protocols.
#include <algorithm>
#include <cstring>
#include <limits>

#include "load_generator/protocols.h"
#include "load_generator/request_choice.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();
/** What has been received of an answer is counted in 32 bits. */
constexpr uint64_t kMostAnnounced = std::numeric_limits<uint32_t>::max() - 8;

/** Finds a delimiter in bytes that come in pieces. Knuth, Morris, Pratt 1977 */
class Delimiter {
 public:
  explicit Delimiter(const std::string& text) : text_(text), fallback_(text.size() + 1, 0) {
    for (size_t i = 1; i < text_.size(); ++i) {
      size_t matched = fallback_[i];
      while (matched > 0 && text_[i] != text_[matched]) matched = fallback_[matched];
      fallback_[i + 1] = text_[i] == text_[matched] ? matched + 1 : 0;
    }
  }

  bool none() const { return text_.empty(); }

  /** @param matched how much of it the last bytes were. @returns bytes up to its end, or 0. */
  size_t Find(const unsigned char* data, size_t length, uint32_t* matched) const {
    for (size_t i = 0; i < length; ++i) {
      const char c = static_cast<char>(data[i]);
      while (*matched > 0 && c != text_[*matched]) {
        *matched = static_cast<uint32_t>(fallback_[*matched]);
      }
      if (c == text_[*matched]) ++*matched;
      if (*matched < text_.size()) continue;
      *matched = 0;
      return i + 1;
    }
    return 0;
  }

 private:
  std::string text_;
  std::vector<size_t> fallback_;
};

struct Request {
  explicit Request(const RequestSpec& from) : spec(from), until(from.until) {}

  RequestSpec spec;
  Delimiter until;
};

class RequestProtocol final : public Protocol {
 public:
  RequestProtocol(const RunOptions& options, uint32_t slots)
      : choice_(options), greeting_(options.protocol.greeting), slots_(slots) {
    for (const RequestSpec& spec : options.protocol.script) {
      requests_.emplace_back(spec);
      longest_ = std::max(longest_, spec.send.size());
    }
  }

  size_t RequestBytes(const Exchange& exchange) const override {
    return SpecOf(exchange).send.size();
  }
  size_t LongestRequest() const override { return longest_; }

  void Fill(const Exchange& exchange, size_t offset, unsigned char* out,
            size_t length) const override {
    std::memcpy(out, SpecOf(exchange).send.data() + offset, length);
  }

  void Begin(uint32_t slot) override { slots_[slot] = Slot{}; }

  bool Speaks(uint32_t slot) const override { return !greeting_.none() && !slots_[slot].greeted; }

  Taken Take(uint32_t slot, const Exchange& exchange, const ExchangeProgress& progress,
             const unsigned char* data, size_t length) override {
    Slot& state = slots_[slot];
    Taken taken;
    if (Speaks(slot)) {
      const size_t end = greeting_.Find(data, length, &state.matched);
      state.greeted = end > 0;
      taken.skipped = end > 0 ? end : length;
      return taken;
    }
    if (progress.sent == 0) return Wrong(Fault::kDoubled, 0);
    const Request& request = requests_[choice_.Of(exchange)];
    const size_t part = Measure(request, progress, &state, data, length);
    if (state.announced > kMostAnnounced) return Wrong(Fault::kWrong, 0);
    const size_t good = CountExpected(request, progress, data, part);
    if (good < part) return Wrong(Fault::kWrong, good);
    taken.bytes = part;
    taken.complete = state.ends_at == progress.received + part;
    if (!taken.complete) return taken;
    const bool shorter = progress.received + part < request.spec.expect.size();
    state = Slot{};
    state.greeted = true;
    taken.faulty = shorter;
    taken.fault = Fault::kShort;
    return taken;
  }

  Taken End(uint32_t slot, const ExchangeProgress& progress, bool reset) override {
    Taken taken = Protocol::End(slot, progress, reset);
    if (progress.received > 0) taken.fault = Fault::kShort;
    return taken;
  }

  std::string Explain(uint32_t slot, const Exchange& exchange, const ExchangeProgress& progress,
                      Fault fault, const std::string& data) const override {
    const RequestSpec& spec = SpecOf(exchange);
    const std::string name =
        Format("connection %u: request %llu (%s): ", exchange.connection,
               static_cast<unsigned long long>(exchange.number), Quote(spec.send).c_str());
    switch (fault) {
      case Fault::kDoubled:
        return name + "had not been sent yet when " + Quote(data) + " came";
      case Fault::kWrong:
        if (slots_[slot].announced > kMostAnnounced) {
          return name + Format("its answer announces %llu bytes; at most %llu are counted",
                               static_cast<unsigned long long>(slots_[slot].announced),
                               static_cast<unsigned long long>(kMostAnnounced));
        }
        return name +
               Format("byte %zu of the answer on is %s, expected %s", progress.received,
                      Quote(data).c_str(),
                      Quote(spec.expect.substr(std::min(progress.received, spec.expect.size())))
                          .c_str());
      case Fault::kShort:
        return name + Format("the answer ended after %zu bytes", progress.received);
      case Fault::kLate:
        return name + Format("late; %zu bytes of its answer were there", progress.received);
      default:
        return name + "the connection was closed without an answer";
    }
  }

 private:
  struct Slot {
    size_t ends_at = kUnlimited;  // length of the whole answer, once it is known
    uint64_t announced = 0;       // the bytes of the prefix so far
    uint32_t matched = 0;         // bytes of the delimiter
    bool greeted = false;
  };

  const RequestSpec& SpecOf(const Exchange& exchange) const {
    return requests_[choice_.Of(exchange)].spec;
  }

  static Taken Wrong(Fault fault, size_t good) {
    Taken taken;
    taken.bytes = good;
    taken.broken = taken.faulty = true;
    taken.fault = fault;
    return taken;
  }

  /** Finds out where the answer ends. @returns how many of the bytes belong to it. */
  static size_t Measure(const Request& request, const ExchangeProgress& progress, Slot* state,
                        const unsigned char* data, size_t length) {
    const RequestSpec& spec = request.spec;
    if (!request.until.none()) {
      const size_t end = request.until.Find(data, length, &state->matched);
      if (end > 0) state->ends_at = progress.received + end;
    } else if (spec.prefix.bytes > 0) {
      MeasurePrefix(spec.prefix, progress, state, data, length);
    } else if (spec.expect_bytes > 0) {
      state->ends_at = static_cast<size_t>(spec.expect_bytes);
    } else {
      state->ends_at = spec.expect.size();
    }
    return std::min(length, state->ends_at - progress.received);
  }

  static void MeasurePrefix(const LengthPrefix& prefix, const ExchangeProgress& progress,
                            Slot* state, const unsigned char* data, size_t length) {
    for (size_t i = 0; i < length && progress.received + i < prefix.bytes; ++i) {
      const size_t at = progress.received + i;
      const size_t shift = 8 * (prefix.little_endian ? at : prefix.bytes - 1 - at);
      state->announced |= uint64_t{data[i]} << shift;
      if (at + 1 == prefix.bytes) {
        state->ends_at = prefix.bytes + static_cast<size_t>(state->announced);
      }
    }
  }

  /** @returns how many bytes are as expected before the first that is not. */
  static size_t CountExpected(const Request& request, const ExchangeProgress& progress,
                              const unsigned char* data, size_t length) {
    const std::string& expect = request.spec.expect;
    if (progress.received >= expect.size()) return length;
    const size_t compared = std::min(length, expect.size() - progress.received);
    const char* wanted = expect.data() + progress.received;
    if (std::memcmp(data, wanted, compared) == 0) return length;
    size_t good = 0;
    while (static_cast<char>(data[good]) == wanted[good]) ++good;
    return good;
  }

  RequestChoice choice_;
  Delimiter greeting_;
  std::vector<Slot> slots_;
  std::vector<Request> requests_;
  size_t longest_ = 1;
};

}  // namespace

std::unique_ptr<Protocol> MakeRequestProtocol(const RunOptions& options, uint32_t slots) {
  return std::make_unique<RequestProtocol>(options, slots);
}

}  // namespace io_selectors
