// Protocols: every protocol that the generator speaks, one row each.
#pragma once

#include <cstdint>
#include <memory>

#include "load_generator/options.h"
#include "load_generator/protocol.h"

namespace io_selectors {

/** @param slots connections that this process holds at a time */
using ProtocolFactory = std::unique_ptr<Protocol>(const RunOptions& options, uint32_t slots);

ProtocolFactory MakeEchoProtocol;
ProtocolFactory MakeHttpProtocol;
ProtocolFactory MakeRequestProtocol;

/** The protocol that the options name. */
std::unique_ptr<Protocol> MakeProtocol(const RunOptions& options, uint32_t slots);

}  // namespace io_selectors
