// The options of `load-generator run`: names, defaults, ranges and checks in one place. Every later
// part may trust a RunOptions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "load_generator/protocol_options.h"

namespace io_selectors {

enum class Arrivals { kPoisson, kFixed };

enum class LoadMode {
  kOpen,    // messages by the clock, whatever comes back
  kClosed,  // a fixed number of messages under way
  kIdle,    // connections that are silent once they were served
  kChurn,   // connect, echo once, close, begin again
  kMemory,  // more and more silent connections, and what they take
};

/** How connections end. */
enum class Closing {
  kByMode,  // churn resets, so that no port waits in TIME_WAIT for a minute; others do not
  kFin,
  kReset,
};

struct RunOptions {
  std::string host = "127.0.0.1";
  int64_t port = 0;
  int64_t connections = 1;
  int64_t payload_bytes = 64;
  LoadMode mode = LoadMode::kOpen;
  int64_t rate = 0;  // messages per second over all connections; open loop
  Arrivals schedule = Arrivals::kPoisson;
  // Messages are due at multiples of this only; 0: each at its own time. At 20,000 messages
  // per second twenty are due together, which halves the generator's cost of sleeping and of waking
  // the server, and keeps it below the server's cost.
  int64_t tick_us = 1000;
  int64_t spin = 0;       // 1: never sleep while there is load; for a generator with its own CPU
  int64_t in_flight = 0;  // messages, or cycles of churn, under way at a time
  int64_t depth = -1;     // messages under way on one connection at most; 0: no limit; -1: not said
  ProtocolOptions protocol;
  int64_t reopen_percent = 0;    // of the answers, after which their connection is opened again
  int64_t answer_within_ms = 0;  // 0: until the end of the run
  int64_t tls = 0;               // 1: messages travel over TLS
  int64_t tls_insecure = 0;      // 1: any certificate is accepted
  std::string tls_ca;            // a file of authorities, PEM; empty: those of the system
  std::string tls_name;          // SNI, and what the certificate holds; empty: no SNI, the host
  int64_t allow_remote = 0;      // 1: request and http may be sent beyond the loopback
  int64_t active = 0;            // connections that carry messages; 0: all
  int64_t slow = 0;              // connections that are written to and never read
  int64_t hot = 0;          // messages that connection 0 keeps under way; 0: it is like the others
  int64_t block_below = 0;  // messages whose first byte is below block the server; 0: none
  int64_t churn_echo = 1;
  std::vector<int64_t> stages;  // connection counts, rising; memory
  int64_t processes = 0;        // 0: as many as descriptors demand
  int64_t sources = 0;          // source addresses; 0: as many as ports demand
  int64_t warmup_ms = 500;
  int64_t steady_within_ms = 0;  // 0: the warm-up is not watched
  int64_t windows = 10;
  int64_t window_ms = 250;
  int64_t seed = 1;
  int64_t server_pid = 0;     // 0: the server's CPU time is not sampled
  std::string server_cgroup;  // whose processes are sampled with it; empty: its descendants only
  int64_t connect_timeout_ms = 30'000;
  int64_t connect_stall_ms = 30'000;
  int64_t fill_timeout_ms = 10'000;
  int64_t drain_timeout_ms = 2'000;
  Closing closing = Closing::kByMode;
  int64_t part = 0;   // which of `parts` generators this is; each on a machine of its own
  int64_t parts = 1;  // they share the connections, the rate and the messages under way
  int64_t begin_on_command = 0;  // 1: after connecting, wait for `begin at-ns=T`
  bool held = false;  // by `hold`: the connections outlive the windows, which come on command

  /** Whether messages go round after the first one of each connection. */
  bool EchoLoad() const { return mode == LoadMode::kOpen || mode == LoadMode::kClosed; }

  bool Resets() const {
    return closing == Closing::kReset || (closing == Closing::kByMode && mode == LoadMode::kChurn);
  }
};

struct ParsedOptions {
  RunOptions options;
  std::string error;  // empty: the options are good
};

/** Reads `--name value` pairs; what comes back without an error is complete and in range. */
ParsedOptions ParseRunOptions(const std::vector<std::string>& arguments);

/** The same for `hold`, whose windows come later: `held` is set, and no rate is needed. */
ParsedOptions ParseHoldOptions(const std::vector<std::string>& arguments);

/** The same for `observe`, which loads nothing: all options are accepted, --server-pid is needed.
 */
ParsedOptions ParseObserveOptions(const std::vector<std::string>& arguments);

/** A decimal number from `low` to `high`, written to `*value`; false if it is none. */
bool ParseNumber(const std::string& text, int64_t low, int64_t high, int64_t* value);

/** One line an option: name, range, default. */
std::string RunUsage();

}  // namespace io_selectors
