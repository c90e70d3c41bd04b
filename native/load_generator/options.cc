#include "load_generator/options.h"

#include <arpa/inet.h>

#include <charconv>

#include "load_generator/text.h"

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

constexpr NumberRow kNumbers[] = {
    {"--port", &RunOptions::port, 1, 65'535, "of the server"},
    {"--connections", &RunOptions::connections, 1, 1'000'000,
     "all opened and served before the load"},
    {"--payload-bytes", &RunOptions::payload_bytes, 1, 1 << 20, "of every message"},
    {"--rate", &RunOptions::rate, 1, 10'000'000,
     "messages a second over all connections, open loop"},
    {"--tick-us", &RunOptions::tick_us, 0, 100'000,
     "due at multiples of this only, open loop; 0: each at its own time"},
    {"--in-flight", &RunOptions::in_flight, 1, 1'000'000,
     "messages under way over all connections, closed loop"},
    {"--depth", &RunOptions::depth, 0, 1'000'000,
     "messages under way on one connection at most; 0: no limit"},
    {"--warmup-ms", &RunOptions::warmup_ms, 0, kHourMs, "load before the first window"},
    {"--windows", &RunOptions::windows, 1, 1'000, "measured, edge to edge"},
    {"--window-ms", &RunOptions::window_ms, 1, kHourMs, "length of each"},
    {"--seed", &RunOptions::seed, 0, kLargestSeed, "of the schedule"},
    {"--server-pid", &RunOptions::server_pid, 1, INT32_MAX, "whose CPU time is sampled"},
    {"--connect-timeout-ms", &RunOptions::connect_timeout_ms, 1, kHourMs,
     "for all connections together"},
    {"--drain-timeout-ms", &RunOptions::drain_timeout_ms, 0, kHourMs,
     "for what is still under way at the end"},
};

/** Takes one of two words. @returns false where the value is neither. */
template <typename T>
bool Choose(const std::string& value, const char* first_word, T first, const char* second_word,
            T second, T* chosen) {
  if (value != first_word && value != second_word) return false;
  *chosen = value == first_word ? first : second;
  return true;
}

bool IsNumericAddress(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

/** @returns what is wrong with the value, or nothing. */
std::string SetOption(const std::string& name, const std::string& value, RunOptions* options) {
  for (const NumberRow& row : kNumbers) {
    if (name != row.name) continue;
    if (ParseNumber(value, row.low, row.high, &(options->*row.field))) return "";
    return Format("%s: \"%s\" is not a whole number from %lld to %lld", row.name, value.c_str(),
                  static_cast<long long>(row.low), static_cast<long long>(row.high));
  }
  if (name == "--host") {
    if (!IsNumericAddress(value)) {
      return Format("--host: \"%s\" is not a numeric address", value.c_str());
    }
    options->host = value;
    return "";
  }
  if (name == "--mode") {
    if (Choose(value, "open", true, "closed", false, &options->open_loop)) return "";
    return Format("--mode: \"%s\" is neither open nor closed", value.c_str());
  }
  if (name == "--schedule") {
    if (Choose(value, "poisson", Arrivals::kPoisson, "fixed", Arrivals::kFixed,
               &options->schedule)) {
      return "";
    }
    return Format("--schedule: \"%s\" is neither poisson nor fixed", value.c_str());
  }
  std::string known = "--host, --mode, --schedule";
  for (const NumberRow& row : kNumbers) known += std::string(", ") + row.name;
  return Format("unknown option \"%s\"; one of: %s", name.c_str(), known.c_str());
}

std::string MissingOption(const RunOptions& options) {
  if (options.port == 0) return "--port is missing";
  if (options.open_loop && options.rate == 0) return "--rate is missing (--mode open needs it)";
  if (!options.open_loop && options.in_flight == 0) {
    return "--in-flight is missing (--mode closed needs it)";
  }
  return "";
}

}  // namespace

ParsedOptions ParseRunOptions(const std::vector<std::string>& arguments) {
  ParsedOptions parsed;
  for (size_t i = 0; i < arguments.size() && parsed.error.empty(); i += 2) {
    const bool has_value = i + 1 < arguments.size();
    parsed.error = SetOption(arguments[i], has_value ? arguments[i + 1] : "", &parsed.options);
    if (!has_value && parsed.error.rfind("unknown", 0) != 0) {
      parsed.error = arguments[i] + ": its value is missing";
    }
  }
  if (parsed.error.empty()) parsed.error = MissingOption(parsed.options);
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
      "  --mode open|closed        default open, which needs --rate; closed needs --in-flight\n"
      "  --schedule poisson|fixed  when messages are due, open loop; default poisson\n";
  for (const NumberRow& row : kNumbers) {
    usage += Format("  %-25s %s; %lld to %lld", row.name, row.meaning,
                    static_cast<long long>(row.low), static_cast<long long>(row.high));
    const long long value = defaults.*row.field;
    usage += value >= row.low ? Format("; default %lld\n", value) : "\n";
  }
  return usage;
}

}  // namespace io_selectors
