#include "load_generator/protocols.h"

namespace io_selectors {

std::unique_ptr<Protocol> MakeProtocol(const RunOptions& options, uint32_t slots) {
  return MakeEchoProtocol(options, slots);
}

}  // namespace io_selectors
