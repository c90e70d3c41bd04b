// The options of `load-generator run`: names, defaults, ranges and checks in one place.
// Enters: argv. Leaves: a RunOptions that every later part may trust, or one line that names the
// option.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace io_selectors {

enum class Arrivals { kPoisson, kFixed };

struct RunOptions {
  std::string host = "127.0.0.1";
  int64_t port = 0;
  int64_t connections = 1;
  int64_t payload_bytes = 64;
  bool open_loop = true;
  int64_t rate = 0;  // messages a second over all connections; open loop
  Arrivals schedule = Arrivals::kPoisson;
  int64_t tick_us = 0;    // messages are due at multiples of this only; 0: each at its own time
  int64_t in_flight = 0;  // messages under way over all connections; closed loop
  int64_t depth = 0;      // messages under way on one connection at most; 0: no limit
  int64_t warmup_ms = 500;
  int64_t windows = 10;
  int64_t window_ms = 250;
  int64_t seed = 1;
  int64_t server_pid = 0;  // 0: the server's CPU time is not sampled
  int64_t connect_timeout_ms = 30'000;
  int64_t drain_timeout_ms = 2'000;
};

struct ParsedOptions {
  RunOptions options;
  std::string error;  // empty: the options are good
};

/** Reads `--name value` pairs; what comes back without an error is complete and in range. */
ParsedOptions ParseRunOptions(const std::vector<std::string>& arguments);

/** A decimal number from `low` to `high`, written to `*value`; false where it is none. */
bool ParseNumber(const std::string& text, int64_t low, int64_t high, int64_t* value);

/** One line an option: name, range, default. */
std::string RunUsage();

}  // namespace io_selectors
