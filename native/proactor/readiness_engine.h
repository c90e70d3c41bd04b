// The engine over readiness: it waits with any Selector backend, then receives from every ready
// connection, one after another into `inbound`, so that the bytes of a turn share cache lines.
#pragma once

#include <memory>
#include <string_view>

#include "proactor/engine.h"

namespace io_selectors {

/** @param backend a name of Backends(); ENOSYS if this build does not contain it. */
Result<std::unique_ptr<Engine>> MakeReadinessEngine(const Rings& rings, std::string_view backend);

}  // namespace io_selectors
