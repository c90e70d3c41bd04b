#include "load_generator/window_command.h"

#include <algorithm>

#include "load_generator/text.h"

namespace io_selectors {

namespace {

constexpr int64_t kHourMs = 3'600'000;

struct WordRow {
  const char* name;
  int64_t low;
  int64_t high;
  int64_t* (*field)(WindowCommand& command);
};

constexpr WordRow kWords[] = {
    {"ms", 1, kHourMs, [](WindowCommand& c) { return &c.length_ms; }},
    {"settle-ms", 0, kHourMs, [](WindowCommand& c) { return &c.settle_ms; }},
    {"rate", 1, 10'000'000, [](WindowCommand& c) { return &c.options.rate; }},
    {"in-flight", 1, 1'000'000, [](WindowCommand& c) { return &c.options.in_flight; }},
    {"tick-us", 0, 100'000, [](WindowCommand& c) { return &c.options.tick_us; }},
    {"spin", 0, 1, [](WindowCommand& c) { return &c.options.spin; }},
    {"seed", 0, int64_t{1} << 53, [](WindowCommand& c) { return &c.options.seed; }},
    {"schedule", 0, int64_t{1} << 53, [](WindowCommand& c) { return &c.schedule; }},
    {"drain-ms", 0, kHourMs, [](WindowCommand& c) { return &c.options.drain_timeout_ms; }},
    {"at-ns", 0, INT64_MAX, [](WindowCommand& c) { return &c.at_ns; }},
};

std::string SetWord(const std::string& word, WindowCommand* command) {
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
  std::string known;
  for (const WordRow& row : kWords) {
    known += (known.empty() ? "" : ", ") + std::string(row.name);
    if (name != row.name) continue;
    if (ParseNumber(value, row.low, row.high, row.field(*command))) return "";
    return Format("%s: \"%s\" is not a whole number from %lld to %lld", row.name, value.c_str(),
                  static_cast<long long>(row.low), static_cast<long long>(row.high));
  }
  return Format("unknown word \"%s\"; one of: %s", name.c_str(), known.c_str());
}

/** Open or closed loop, by which of the two the command names. */
std::string ChooseMode(bool rate, bool in_flight, WindowCommand* command) {
  RunOptions& options = command->options;
  if (rate && in_flight) return "rate and in-flight exclude each other";
  if (command->length_ms == 0) return "ms is missing";
  const bool closed = in_flight || (!rate && options.rate == 0 && options.in_flight > 0);
  options.mode = closed ? LoadMode::kClosed : LoadMode::kOpen;
  if (!closed && options.rate == 0) return "rate or in-flight is missing";
  return "";
}

}  // namespace

WindowCommand ParseWindowCommand(const std::string& words, const RunOptions& options) {
  WindowCommand command;
  command.options = options;
  bool rate = false;
  bool in_flight = false;
  for (size_t at = 0; at < words.size() && command.error.empty();) {
    const size_t end = std::min(words.find(' ', at), words.size());
    const std::string word = words.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    command.error = SetWord(word, &command);
    rate = rate || word.rfind("rate=", 0) == 0;
    in_flight = in_flight || word.rfind("in-flight=", 0) == 0;
  }
  if (command.error.empty()) command.error = ChooseMode(rate, in_flight, &command);
  return command;
}

}  // namespace io_selectors
