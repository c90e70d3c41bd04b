// FlatJson: one JSON object whose values are strings, whole numbers or lists of strings: the
// requests of the agent. A parser for all of RFC 8259 would be a dependency for four shapes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace io_selectors {

class FlatJson {
 public:
  /** @returns false on text that is not such an object; what was read before the fault stays. */
  bool Parse(const std::string& text);

  /** The value of a name, or what a missing one stands for. */
  std::string Text(const std::string& name) const;
  int64_t Number(const std::string& name, int64_t missing = 0) const;
  std::vector<std::string> List(const std::string& name) const;

 private:
  std::map<std::string, std::string> texts_;
  std::map<std::string, int64_t> numbers_;
  std::map<std::string, std::vector<std::string>> lists_;
};

/** A JSON string with its quotes. Bytes above ASCII stay as they are, so UTF-8 stays UTF-8. */
std::string QuoteJson(const std::string& text);

}  // namespace io_selectors
