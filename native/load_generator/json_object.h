// JsonObject: one JSON object in one line, written field by field. RFC 8259
#pragma once

#include <cstdint>
#include <string>

#include "load_generator/proc_file.h"
#include "load_generator/text.h"

namespace io_selectors {

class JsonObject {
 public:
  JsonObject& Raw(const char* name, const std::string& json) {
    text_ += Format("%c\"%s\":", text_.empty() ? '{' : ',', name) + json;
    return *this;
  }
  JsonObject& Text(const char* name, const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      // A command may hold anything; of what is no ASCII its reader sees that much.
      const bool shown = c >= ' ' && c <= '~';
      quoted += shown ? c : '?';
    }
    return Raw(name, quoted + "\"");
  }
  JsonObject& TextOrNull(const char* name, const std::string& text) {
    return text.empty() ? Raw(name, "null") : Text(name, text);
  }
  JsonObject& Number(const char* name, int64_t value) { return Raw(name, std::to_string(value)); }
  JsonObject& NumberOrNull(const char* name, int64_t value) {
    return value == kUnknown ? Raw(name, "null") : Number(name, value);
  }
  JsonObject& Fraction(const char* name, double value) { return Raw(name, Format("%.6g", value)); }
  std::string End() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  std::string text_;
};

}  // namespace io_selectors
