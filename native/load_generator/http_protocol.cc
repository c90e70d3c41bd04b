// http: HTTP/1.1 with connections that stay open; answers by Content-Length, in chunks, or up to
// the end of the connection. RFC 9110, RFC 9112
#include <strings.h>

#include <algorithm>
#include <cstring>

#include "load_generator/http_answer.h"
#include "load_generator/protocols.h"
#include "load_generator/request_choice.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

bool HasHeader(const std::string& headers, const char* name) {
  const size_t length = std::strlen(name);
  for (size_t at = 0; at < headers.size(); at = headers.find('\n', at) + 1) {
    if (strncasecmp(headers.c_str() + at, name, length) == 0) return true;
  }
  return false;
}

std::string BytesOf(const RequestSpec& spec, const RunOptions& options) {
  const bool numeric6 = options.host.find(':') != std::string::npos;
  std::string bytes = spec.method + " " + spec.path + " HTTP/1.1\r\n";
  if (!HasHeader(spec.headers, "host:")) {
    bytes += Format(numeric6 ? "Host: [%s]:%lld\r\n" : "Host: %s:%lld\r\n", options.host.c_str(),
                    static_cast<long long>(options.port));
  }
  const bool carries = !spec.body.empty() || spec.method == "POST" || spec.method == "PUT";
  if (carries && !HasHeader(spec.headers, "content-length:")) {
    bytes += Format("Content-Length: %zu\r\n", spec.body.size());
  }
  return bytes + spec.headers + "\r\n" + spec.body;
}

class HttpProtocol final : public Protocol {
 public:
  HttpProtocol(const RunOptions& options, uint32_t slots) : choice_(options), answers_(slots) {
    bool hashes = false;
    for (const RequestSpec& spec : options.protocol.script) {
      requests_.push_back(BytesOf(spec, options));
      longest_ = std::max(longest_, requests_.back().size());
      expected_.push_back(ExpectedAnswer{spec});
      hashes = hashes || !spec.sha256.empty();
    }
    if (hashes) hashes_.resize(slots);
  }

  size_t RequestBytes(const Exchange& exchange) const override {
    return requests_[choice_.Of(exchange)].size();
  }
  size_t LongestRequest() const override { return longest_; }

  void Fill(const Exchange& exchange, size_t offset, unsigned char* out,
            size_t length) const override {
    std::memcpy(out, requests_[choice_.Of(exchange)].data() + offset, length);
  }

  void Begin(uint32_t slot) override { answers_[slot] = HttpAnswer{}; }

  /** A server may close a connection that it has answered on. RFC 9112, 9.5 */
  bool MayCloseIdle() const override { return true; }

  Taken Take(uint32_t slot, const Exchange& exchange, const ExchangeProgress& progress,
             const unsigned char* data, size_t length) override {
    if (progress.sent == 0) {
      Taken unasked;
      unasked.broken = unasked.faulty = true;
      unasked.fault = Fault::kDoubled;
      return unasked;
    }
    Sha256* hash = hashes_.empty() ? nullptr : &hashes_[slot];
    return answers_[slot].Take(expected_[choice_.Of(exchange)], hash, data, length);
  }

  Taken End(uint32_t slot, const ExchangeProgress& progress, bool reset) override {
    Taken taken = Protocol::End(slot, progress, reset);
    if (progress.received == 0) return taken;
    Sha256* hash = hashes_.empty() ? nullptr : &hashes_[slot];
    return answers_[slot].End(hash, reset);
  }

  std::string Explain(uint32_t slot, const Exchange& exchange, const ExchangeProgress& progress,
                      Fault fault, const std::string& data) const override {
    const RequestSpec& spec = expected_[choice_.Of(exchange)].spec;
    const std::string name = Format("connection %u: request %llu (%s %s): ", exchange.connection,
                                    static_cast<unsigned long long>(exchange.number),
                                    spec.method.c_str(), spec.path.c_str());
    switch (fault) {
      case Fault::kDoubled:
        return name + "had not been sent yet when " + Quote(data) + " came";
      case Fault::kClosed:
        return name + "the connection was closed without an answer";
      case Fault::kLate:
        if (progress.received == 0) return name + "late; nothing of its answer was there";
        break;
      case Fault::kWrong:
        if (answers_[slot].complete() && progress.sent < RequestBytes(exchange)) {
          return name + "was answered before all of it had been sent";
        }
        break;
      default:
        break;
    }
    return name + answers_[slot].Explain(spec, fault, data);
  }

 private:
  RequestChoice choice_;
  std::vector<HttpAnswer> answers_;
  std::vector<std::string> requests_;
  std::vector<ExpectedAnswer> expected_;
  std::vector<Sha256> hashes_;  // empty if no request says what its answer's is
  size_t longest_ = 1;
};

}  // namespace

std::unique_ptr<Protocol> MakeHttpProtocol(const RunOptions& options, uint32_t slots) {
  return std::make_unique<HttpProtocol>(options, slots);
}

}  // namespace io_selectors
