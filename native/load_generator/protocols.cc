#include "load_generator/protocols.h"

namespace io_selectors {

std::unique_ptr<Protocol> MakeProtocol(const RunOptions& options, uint32_t slots) {
  switch (options.protocol.name) {
    case ProtocolName::kRequest:
      return MakeRequestProtocol(options, slots);
    case ProtocolName::kHttp:
      return MakeHttpProtocol(options, slots);
    case ProtocolName::kEcho:
      break;
  }
  return MakeEchoProtocol(options, slots);
}

}  // namespace io_selectors
