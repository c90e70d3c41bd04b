// WindowCommand: one line of `hold`'s standard input, such as `window ms=150 rate=20000`.
#pragma once

#include <cstdint>
#include <string>

#include "load_generator/options.h"

namespace io_selectors {

struct WindowCommand {
  RunOptions options;      // of the command line, with what this command says otherwise
  int64_t length_ms = 0;   // of the window
  int64_t settle_ms = 10;  // load before the window
  int64_t at_ns = 0;       // when the window begins, CLOCK_MONOTONIC; 0: as soon as it can
  int64_t schedule = -1;   // which of the seed's schedules; -1: that of the window's number
  std::string error;       // empty: the command is good
};

/** @param words what follows `window`: `name=value`, separated by blanks */
WindowCommand ParseWindowCommand(const std::string& words, const RunOptions& options);

}  // namespace io_selectors
