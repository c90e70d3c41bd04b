// echo: the answer is the request. Every byte follows from the connection and the message's number,
// so that a wrong, missing, extra or foreign byte shows at once.
#include <algorithm>

#include "load_generator/message.h"
#include "load_generator/protocols.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

class EchoProtocol final : public Protocol {
 public:
  explicit EchoProtocol(size_t payload_bytes) : payload_bytes_(payload_bytes) {}

  size_t RequestBytes(const Exchange& /*exchange*/) const override { return payload_bytes_; }
  size_t LongestRequest() const override { return payload_bytes_; }

  void Fill(const Exchange& exchange, size_t offset, unsigned char* out,
            size_t length) const override {
    Message(exchange.connection, exchange.number).Fill(offset, out, length);
  }

  Taken Take(uint32_t /*slot*/, const Exchange& exchange, const ExchangeProgress& progress,
             const unsigned char* data, size_t length) override {
    Taken taken;
    const size_t part = std::min(length, progress.sent - progress.received);
    const Message message(exchange.connection, exchange.number);
    taken.bytes = message.CountMatching(progress.received, data, part);
    // No part: these bytes answer nothing that was sent.
    taken.broken = taken.faulty = part == 0 || taken.bytes < part;
    taken.fault = progress.sent == 0 ? Fault::kDoubled : Fault::kWrong;
    taken.complete = !taken.broken && progress.received + taken.bytes == payload_bytes_;
    return taken;
  }

  std::string Explain(uint32_t /*slot*/, const Exchange& exchange, const ExchangeProgress& progress,
                      Fault fault, const std::string& data) const override {
    const unsigned long long number = exchange.number;
    const unsigned got = data.empty() ? 0 : static_cast<unsigned char>(data[0]);
    if (fault == Fault::kDoubled) {
      return Format("connection %u: message %llu: byte 0 is 0x%02x, but it was not sent yet",
                    exchange.connection, number, got);
    }
    if (fault != Fault::kWrong) {
      return Format("connection %u: message %llu: %zu of %zu bytes came back", exchange.connection,
                    number, progress.received, payload_bytes_);
    }
    return Format("connection %u: message %llu: byte %zu is 0x%02x, expected 0x%02x",
                  exchange.connection, number, progress.received, got,
                  Message(exchange.connection, exchange.number).ByteAt(progress.received));
  }

 private:
  size_t payload_bytes_;
};

}  // namespace

std::unique_ptr<Protocol> MakeEchoProtocol(const RunOptions& options, uint32_t /*slots*/) {
  return std::make_unique<EchoProtocol>(static_cast<size_t>(options.payload_bytes));
}

}  // namespace io_selectors
