#include "load_generator/options.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "load_generator/text.h"
#include "load_generator/tls.h"

namespace io_selectors {

namespace {

using Field = int64_t RunOptions::*;

struct NumberRow {
  const char* name;
  Field field;
  int64_t low;
  int64_t high;
  const char* meaning;
};

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kLargestSeed = int64_t{1} << 53;  // what a JavaScript number holds exactly
constexpr int64_t kMostConnections = 20'000'000;
constexpr int64_t kMostParts = 1'000;

constexpr NumberRow kNumbers[] = {
    {"--port", &RunOptions::port, 1, 65'535, "port of the server"},
    {"--connections", &RunOptions::connections, 1, kMostConnections,
     "connections, all opened and served before the load"},
    {"--active", &RunOptions::active, 0, kMostConnections,
     "connections that carry messages, open and closed; 0: all"},
    {"--slow", &RunOptions::slow, 0, kMostConnections,
     "connections on which the generator sends but never reads; open and closed"},
    {"--hot", &RunOptions::hot, 0, 1'000'000,
     "messages that connection 0 keeps in flight; open and closed; 0: like the others"},
    {"--block-below", &RunOptions::block_below, 0, 255,
     "messages whose first byte is below block the server: their latency is not recorded; 0: none"},
    {"--payload-bytes", &RunOptions::payload_bytes, 1, 1 << 20, "bytes per message"},
    {"--rate", &RunOptions::rate, 1, 10'000'000,
     "messages per second over all connections, open loop"},
    {"--tick-us", &RunOptions::tick_us, 0, 100'000,
     "messages are due at multiples of this only, open loop; 0: each at its own time"},
    {"--spin", &RunOptions::spin, 0, 1,
     "1: never sleep while there is load, open and closed; needs a CPU of its own"},
    {"--in-flight", &RunOptions::in_flight, 1, 16'000'000,
     "messages (closed) or cycles (churn) in flight over all connections"},
    {"--depth", &RunOptions::depth, 0, 1'000'000,
     "most messages in flight on one connection; 0: no limit; default 0, request and http 1"},
    {"--reopen-percent", &RunOptions::reopen_percent, 0, 100,
     "share of the answers after which their connection is closed and opened again"},
    {"--answer-within-ms", &RunOptions::answer_within_ms, 0, kHourMs,
     "an answer that takes longer is a fault of kind late; 0: until the end"},
    {"--tls", &RunOptions::tls, 0, 1, "1: over TLS, by the OpenSSL of the system"},
    {"--tls-insecure", &RunOptions::tls_insecure, 0, 1, "1: any certificate is accepted"},
    {"--allow-remote", &RunOptions::allow_remote, 0, 1,
     "1: request and http may be sent to other machines"},
    {"--churn-echo", &RunOptions::churn_echo, 0, 1, "1: each cycle of churn echoes once"},
    {"--processes", &RunOptions::processes, 0, 1'000,
     "processes that share the load; 0: as many as the descriptor limit requires"},
    {"--warmup-ms", &RunOptions::warmup_ms, 0, kHourMs, "load before the first window, at least"},
    {"--steady-within-ms", &RunOptions::steady_within_ms, 0, kHourMs,
     "the warm-up continues until the load is steady, at most this long; 0: it does not"},
    {"--windows", &RunOptions::windows, 1, 1'000, "number of consecutive windows"},
    {"--window-ms", &RunOptions::window_ms, 1, kHourMs, "length of each window"},
    {"--seed", &RunOptions::seed, 0, kLargestSeed, "seed of the schedule"},
    {"--server-pid", &RunOptions::server_pid, 1, INT32_MAX,
     "process that is sampled, with all its descendants"},
    {"--connect-timeout-ms", &RunOptions::connect_timeout_ms, 1, kHourMs,
     "time to open all connections"},
    {"--connect-stall-ms", &RunOptions::connect_stall_ms, 1, kHourMs,
     "connecting has failed if no connection is served for this long; churn, if no cycle ends"},
    {"--fill-timeout-ms", &RunOptions::fill_timeout_ms, 1, kHourMs,
     "time to fill the buffers of the peers that never read, before the warm-up"},
    {"--part", &RunOptions::part, 0, kMostParts - 1,
     "which of --parts load generators this is; all other options are those of the whole load"},
    {"--parts", &RunOptions::parts, 1, kMostParts, "load generators that share the load"},
    {"--begin-on-command", &RunOptions::begin_on_command, 0, 1,
     "1: the warm-up begins at `begin at-ns=T` on standard input, CLOCK_MONOTONIC"},
    {"--drain-timeout-ms", &RunOptions::drain_timeout_ms, 0, kHourMs,
     "time for messages that are in flight at the end"},
};

struct ModeRow {
  const char* name;
  LoadMode mode;
};

constexpr ModeRow kModes[] = {
    {"open", LoadMode::kOpen},   {"closed", LoadMode::kClosed}, {"idle", LoadMode::kIdle},
    {"churn", LoadMode::kChurn}, {"memory", LoadMode::kMemory},
};

bool IsNumericAddress(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

/** Counts that rise, separated by commas. @returns false if they are not. */
bool ParseStages(const std::string& text, std::vector<int64_t>* stages) {
  stages->clear();
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const int64_t least = stages->empty() ? 1 : stages->back() + 1;
    int64_t stage = 0;
    if (!ParseNumber(text.substr(at, comma - at), least, kMostConnections, &stage)) return false;
    stages->push_back(stage);
    at = comma + 1;
  }
  return true;
}

std::string SetHost(const std::string& value, RunOptions* options) {
  if (!IsNumericAddress(value)) {
    return Format("--host: \"%s\" is not a numeric address", value.c_str());
  }
  options->host = value;
  return "";
}

std::string SetMode(const std::string& value, RunOptions* options) {
  for (const ModeRow& row : kModes) {
    if (value != row.name) continue;
    options->mode = row.mode;
    return "";
  }
  return Format("--mode: \"%s\" is not one of open, closed, idle, churn, memory", value.c_str());
}

std::string SetSchedule(const std::string& value, RunOptions* options) {
  if (value != "poisson" && value != "fixed") {
    return Format("--schedule: \"%s\" is neither poisson nor fixed", value.c_str());
  }
  options->schedule = value == "poisson" ? Arrivals::kPoisson : Arrivals::kFixed;
  return "";
}

std::string SetSources(const std::string& value, RunOptions* options) {
  options->sources = 0;
  if (value == "auto" || ParseNumber(value, 1, 65'535, &options->sources)) return "";
  return Format("--sources: \"%s\" is neither auto nor a number up to 65535", value.c_str());
}

std::string SetStages(const std::string& value, RunOptions* options) {
  if (ParseStages(value, &options->stages)) return "";
  return Format("--stages: \"%s\" is not a rising list such as 1000,5000", value.c_str());
}

std::string SetServerCgroup(const std::string& value, RunOptions* options) {
  options->server_cgroup = value;
  if (access((value + "/cgroup.procs").c_str(), R_OK) == 0) return "";
  return Format("--server-cgroup: \"%s\" is not a control group: %s", value.c_str(),
                std::strerror(errno));
}

std::string SetClosing(const std::string& value, RunOptions* options) {
  if (value != "fin" && value != "reset") {
    return Format("--close: \"%s\" is neither fin nor reset", value.c_str());
  }
  options->closing = value == "fin" ? Closing::kFin : Closing::kReset;
  return "";
}

std::string SetTlsCa(const std::string& value, RunOptions* options) {
  options->tls_ca = value;
  return value.empty() ? "--tls-ca: a file of certificates is expected" : "";
}

std::string SetTlsName(const std::string& value, RunOptions* options) {
  options->tls_name = value;
  return value.empty() ? "--tls-name: the name of a host is expected" : "";
}

struct WordRow {
  const char* name;
  std::string (*set)(const std::string& value, RunOptions* options);
};

constexpr WordRow kWords[] = {
    {"--host", SetHost},
    {"--mode", SetMode},
    {"--schedule", SetSchedule},
    {"--sources", SetSources},
    {"--stages", SetStages},
    {"--close", SetClosing},
    {"--server-cgroup", SetServerCgroup},
    {"--tls-ca", SetTlsCa},
    {"--tls-name", SetTlsName},
};

/** @returns what is wrong with the value, or nothing. */
std::string SetOption(const std::string& name, const std::string& value, RunOptions* options) {
  for (const NumberRow& row : kNumbers) {
    if (name != row.name) continue;
    if (ParseNumber(value, row.low, row.high, &(options->*row.field))) return "";
    return Format("%s: \"%s\" is not a whole number from %lld to %lld", row.name, value.c_str(),
                  static_cast<long long>(row.low), static_cast<long long>(row.high));
  }
  if (IsProtocolOption(name)) return SetProtocolOption(name, value, options);
  std::string known = "--protocol, --script, --greeting, " + RequestOptionNames();
  for (const WordRow& row : kWords) {
    if (name == row.name) return row.set(value, options);
    known += std::string(", ") + row.name;
  }
  for (const NumberRow& row : kNumbers) known += std::string(", ") + row.name;
  return Format("unknown option \"%s\"; one of: %s", name.c_str(), known.c_str());
}

std::string MissingOption(const RunOptions& options) {
  if (options.port == 0) return "--port is missing";
  if (options.mode == LoadMode::kOpen && options.rate == 0) {
    return "--rate is missing (--mode open needs it)";
  }
  if (options.mode == LoadMode::kClosed && options.in_flight == 0) {
    return "--in-flight is missing (--mode closed needs it)";
  }
  if (options.mode == LoadMode::kChurn && options.in_flight == 0) {
    return "--in-flight is missing (--mode churn needs it)";
  }
  if (options.mode == LoadMode::kMemory && options.stages.empty()) {
    return "--stages is missing (--mode memory needs it)";
  }
  return "";
}

/** The last stage has all connections. @returns what is wrong, or nothing. */
std::string TakeStages(RunOptions* options) {
  const int64_t all = options->stages.back();
  if (options->connections > 1 && options->connections != all) {
    return Format("--connections does not apply to --mode memory; the last of --stages is %lld",
                  static_cast<long long>(all));
  }
  options->connections = all;
  return "";
}

/** What needs another option, or exceeds it. */
std::string Contradiction(const RunOptions& options) {
  if (!options.stages.empty() && options.mode != LoadMode::kMemory) {
    return "--stages needs --mode memory";
  }
  if (!options.EchoLoad()) {
    if (options.active > 0) return "--active needs --mode open or closed";
    if (options.slow > 0) return "--slow needs --mode open or closed";
    if (options.hot > 0) return "--hot needs --mode open or closed";
    if (options.block_below > 0) return "--block-below needs --mode open or closed";
    if (options.spin > 0) return "--spin needs --mode open or closed";
  }
  if (options.mode == LoadMode::kChurn && options.connections > 1) {
    return "--connections does not apply to --mode churn; use --in-flight";
  }
  const int64_t others = options.connections - options.slow - (options.hot > 0 ? 1 : 0);
  if (others < 1) {
    if (options.slow > 0) return "--slow: no other connection is left; use more --connections";
    if (options.hot > 0) return "--hot needs a second connection; use more --connections";
  }
  if (options.active > std::max<int64_t>(others, 0)) {
    return Format("--active: %lld exceeds the %lld connections that can carry messages",
                  static_cast<long long>(options.active), static_cast<long long>(others));
  }
  if (options.block_below > 0 && options.protocol.name != ProtocolName::kEcho) {
    return "--block-below needs --protocol echo";
  }
  if (options.begin_on_command == 1 && options.steady_within_ms > 0) {
    return "--steady-within-ms: a run that begins on command has a fixed warm-up";
  }
  if (options.part >= options.parts) return "--part: must be less than --parts";
  const bool churn = options.mode == LoadMode::kChurn;
  if (options.parts > (churn ? options.in_flight : options.connections)) {
    return Format("--parts: %lld exceeds the number of connections; use fewer parts",
                  static_cast<long long>(options.parts));
  }
  return "";
}

}  // namespace

namespace {

void ReadPairs(const std::vector<std::string>& arguments, ParsedOptions* parsed) {
  for (size_t i = 0; i < arguments.size() && parsed->error.empty(); i += 2) {
    const bool has_value = i + 1 < arguments.size();
    const std::string value = has_value ? arguments[i + 1] : "";
    parsed->error = SetOption(arguments[i], value, &parsed->options);
    if (!has_value && parsed->error.rfind("unknown", 0) != 0) {
      parsed->error = arguments[i] + ": its value is missing";
    }
  }
}

/** Options without an effect on connections that wait for commands. */
constexpr const char* kOfRunOnly[] = {
    "--slow",      "--hot",       "--processes",        "--stages",           "--windows",
    "--window-ms", "--warmup-ms", "--steady-within-ms", "--begin-on-command", "--fill-timeout-ms",
};

std::string NotHeld(const std::vector<std::string>& arguments, const RunOptions& options) {
  if (options.port == 0) return "--port is missing";
  if (options.mode != LoadMode::kOpen) return "--mode is an option of run; a window names its load";
  for (size_t i = 0; i < arguments.size(); i += 2) {
    for (const char* name : kOfRunOnly) {
      if (arguments[i] == name) return arguments[i] + " is an option of run only";
    }
  }
  return "";
}

}  // namespace

ParsedOptions ParseRunOptions(const std::vector<std::string>& arguments) {
  ParsedOptions parsed;
  RunOptions& options = parsed.options;
  ReadPairs(arguments, &parsed);
  if (parsed.error.empty()) parsed.error = MissingOption(options);
  if (parsed.error.empty()) parsed.error = CompleteProtocol(&options);
  const bool memory = options.mode == LoadMode::kMemory;
  if (parsed.error.empty() && memory) parsed.error = TakeStages(&options);
  if (parsed.error.empty()) parsed.error = Contradiction(options);
  if (parsed.error.empty()) parsed.error = Tls::Check(options);
  return parsed;
}

ParsedOptions ParseHoldOptions(const std::vector<std::string>& arguments) {
  ParsedOptions parsed;
  ReadPairs(arguments, &parsed);
  if (parsed.error.empty()) parsed.error = NotHeld(arguments, parsed.options);
  if (parsed.error.empty()) parsed.error = CompleteProtocol(&parsed.options);
  if (parsed.error.empty()) parsed.error = Contradiction(parsed.options);
  if (parsed.error.empty()) parsed.error = Tls::Check(parsed.options);
  parsed.options.held = true;
  return parsed;
}

ParsedOptions ParseObserveOptions(const std::vector<std::string>& arguments) {
  ParsedOptions parsed;
  ReadPairs(arguments, &parsed);
  if (parsed.error.empty() && parsed.options.server_pid == 0) {
    parsed.error = "--server-pid is missing (observe samples nothing else)";
  }
  return parsed;
}

bool ParseNumber(const std::string& text, int64_t low, int64_t high, int64_t* value) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < low || number > high) return false;
  *value = number;
  return true;
}

std::string RunUsage() {
  const RunOptions defaults;
  std::string usage =
      "  --host ADDRESS            numeric; default 127.0.0.1\n"
      "  --mode MODE               open (default; needs --rate), closed (needs --in-flight),\n"
      "                            idle, churn (needs --in-flight), memory (needs --stages)\n"
      "  --schedule poisson|fixed  when messages are due, open loop; default poisson\n"
      "  --stages N,N,...          numbers of connections, ascending; memory\n"
      "  --sources auto|N          source addresses 127.0.0.k; default auto: as many as needed\n"
      "  --server-cgroup FOLDER    a control group, whose processes are sampled as well\n"
      "  --tls-ca FILE             verifies by these authorities; default: those of the system\n"
      "  --tls-name NAME           the server's name, for SNI and the certificate check; default: "
      "--host\n"
      "  --close fin|reset         how connections end; default fin, with churn reset\n";
  for (const NumberRow& row : kNumbers) {
    usage += Format("  %-25s %s; %lld to %lld", row.name, row.meaning,
                    static_cast<long long>(row.low), static_cast<long long>(row.high));
    const long long value = defaults.*row.field;
    usage += value >= row.low ? Format("; default %lld\n", value) : "\n";
  }
  return usage + ProtocolUsage();
}

}  // namespace io_selectors
