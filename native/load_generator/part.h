// Part: what one process does in a run, from its first connect to its last echo.
#pragma once

#include <memory>

#include "core/selector.h"
#include "load_generator/direction.h"
#include "load_generator/options.h"
#include "load_generator/share.h"
#include "load_generator/tally.h"
#include "load_generator/window.h"

namespace io_selectors {

/** What every process waits with: epoll if there is one. */
Result<std::unique_ptr<Selector>> MakeSelector();

/**
 * @param windows zeroed: one for each window of the options, and one more for all that happens
 * outside of them
 */
void RunPart(const RunOptions& options, const Share& share, Direction& direction, Window* windows,
             Tally* tally);

}  // namespace io_selectors
