#include "load_generator/request_spec.h"

#include <cctype>
#include <cstdio>
#include <limits>

#include "load_generator/options.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

constexpr size_t kQuotedAtMost = 60;
constexpr size_t kHexDigits = 64;  // of a SHA-256
constexpr int64_t kLargestAnswer = std::numeric_limits<uint32_t>::max();

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/** @returns false if the file cannot be read. */
bool ReadWholeFile(const std::string& path, std::string* text) {
  FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  text->clear();
  char buffer[4096];
  size_t length = 0;
  while ((length = std::fread(buffer, 1, sizeof(buffer), file)) > 0) text->append(buffer, length);
  const bool good = std::ferror(file) == 0;
  std::fclose(file);
  return good;
}

std::string SetBytes(const char* name, const std::string& value, std::string* bytes) {
  if (!Unescape(value, bytes)) {
    return Format("%s: %s has a backslash that is not one of \\r, \\n, \\t, \\0, \\\\, \\xHH", name,
                  Quote(value).c_str());
  }
  return bytes->empty() ? Format("%s: no bytes", name) : "";
}

std::string SetFile(const char* name, const std::string& value, std::string* bytes) {
  if (ReadWholeFile(value, bytes)) return "";
  return Format("%s: cannot read %s", name, value.c_str());
}

bool IsToken(const std::string& text) {
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 &&
        std::string("!#$%&'*+-.^_`|~").find(c) == std::string::npos) {
      return false;
    }
  }
  return !text.empty();
}

bool HasControl(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return true;
  }
  return false;
}

std::string SetSend(const std::string& value, RequestSpec* spec) {
  return SetBytes("--send", value, &spec->send);
}

std::string SetExpect(const std::string& value, RequestSpec* spec) {
  return SetBytes("--expect", value, &spec->expect);
}

std::string SetUntil(const std::string& value, RequestSpec* spec) {
  return SetBytes("--until", value, &spec->until);
}

std::string SetExpectBytes(const std::string& value, RequestSpec* spec) {
  if (ParseNumber(value, 1, kLargestAnswer, &spec->expect_bytes)) return "";
  return Format("--expect-bytes: \"%s\" is not a number of bytes", value.c_str());
}

std::string SetPrefix(const std::string& value, RequestSpec* spec) {
  const std::string order = value.size() == 3 ? value.substr(1) : "";
  const bool one = value == "1";
  const bool several =
      (order == "be" || order == "le") && std::string("248").find(value[0]) != std::string::npos;
  if (!one && !several) {
    return Format("--length-prefix: \"%s\" is not one of 1, 2be, 2le, 4be, 4le, 8be, 8le",
                  value.c_str());
  }
  spec->prefix.bytes = static_cast<size_t>(value[0] - '0');
  spec->prefix.little_endian = order == "le";
  return "";
}

std::string SetMethod(const std::string& value, RequestSpec* spec) {
  spec->method = value;
  return IsToken(value) ? "" : Format("--method: \"%s\" is no HTTP method", value.c_str());
}

std::string SetPath(const std::string& value, RequestSpec* spec) {
  spec->path = value;
  const bool good = !value.empty() && (value[0] == '/' || value == "*") && !HasControl(value) &&
                    value.find(' ') == std::string::npos;
  return good ? "" : Format("--path: \"%s\" has to begin with / and hold no spaces", value.c_str());
}

std::string SetHeader(const std::string& value, RequestSpec* spec) {
  const size_t colon = value.find(':');
  if (colon == std::string::npos || !IsToken(value.substr(0, colon)) || HasControl(value)) {
    return Format("--header: \"%s\" is not \"Name: value\"", value.c_str());
  }
  spec->headers += value + "\r\n";
  return "";
}

std::string SetBody(const std::string& value, RequestSpec* spec) {
  spec->body = value;
  return "";
}

std::string SetBodyFile(const std::string& value, RequestSpec* spec) {
  return SetFile("--body-file", value, &spec->body);
}

std::string SetStatus(const std::string& value, RequestSpec* spec) {
  if (ParseNumber(value, 200, 599, &spec->status)) return "";
  return Format("--status: \"%s\" is not a status from 200 to 599", value.c_str());
}

std::string SetExpectBody(const std::string& value, RequestSpec* spec) {
  spec->has_expected_body = true;
  spec->expected_body = value;
  return "";
}

std::string SetExpectBodyFile(const std::string& value, RequestSpec* spec) {
  spec->has_expected_body = true;
  return SetFile("--expect-body-file", value, &spec->expected_body);
}

std::string SetExpectSha256(const std::string& value, RequestSpec* spec) {
  spec->sha256.clear();
  for (size_t i = 0; value.size() == kHexDigits && i < kHexDigits; i += 2) {
    const int high = HexDigit(value[i]);
    const int low = HexDigit(value[i + 1]);
    if (high < 0 || low < 0) break;
    spec->sha256 += static_cast<char>(high * 16 + low);
  }
  if (spec->sha256.size() * 2 == kHexDigits) return "";
  return Format("--expect-sha256: \"%s\" is not 64 hexadecimal digits", value.c_str());
}

struct Row {
  const char* name;
  std::string (*set)(const std::string& value, RequestSpec* spec);
  bool http;
  const char* meaning;
};

constexpr Row kRows[] = {
    {"--send", SetSend, false, "the bytes of a request; \\r, \\n, \\t, \\0, \\\\, \\xHH"},
    {"--expect", SetExpect, false, "the bytes of its answer; with --until, how it begins"},
    {"--until", SetUntil, false, "the bytes that end an answer"},
    {"--expect-bytes", SetExpectBytes, false, "the length of an answer"},
    {"--length-prefix", SetPrefix, false,
     "1, 2be, 2le, 4be …: the length of the rest, in front of it"},
    {"--method", SetMethod, true, "default GET"},
    {"--path", SetPath, true, "default /"},
    {"--header", SetHeader, true, "\"Name: value\"; may be given repeatedly"},
    {"--body", SetBody, true, "of the request, as it is"},
    {"--body-file", SetBodyFile, true, "the same, from a file"},
    {"--status", SetStatus, true, "of each answer; default 200"},
    {"--expect-body", SetExpectBody, true, "of each answer, as it is"},
    {"--expect-body-file", SetExpectBodyFile, true, "the same, from a file"},
    {"--expect-sha256", SetExpectSha256, true, "of each answer's body, in hexadecimal digits"},
};

/** Splits a line into words as a shell does. @returns what is wrong, or nothing. */
std::string SplitWords(const std::string& line, std::vector<std::string>* words) {
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const char next = quote == '"' && c == '\\' && i + 1 < line.size() ? line[i + 1] : '\0';
    if (next == '"' || next == '\\') {
      if (next == '\\') word += c;  // the option's value has escapes of its own
      word += line[++i];
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
      if (c != quote && quote != '\0') word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (in_word) words->push_back(word);
      word.clear();
      in_word = false;
    } else if (c == '#' && !in_word) {
      return "";
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) words->push_back(word);
  return quote == '\0' ? "" : "a quote is not closed";
}

/** @returns what is wrong with the words, or nothing. */
std::string ReadRequest(const std::vector<std::string>& words, RequestSpec* spec) {
  constexpr int64_t kMostWeight = 1'000'000;
  const size_t first = words[0].rfind("--", 0) == 0 ? 0 : 1;
  if (first == 1 && !ParseNumber(words[0], 1, kMostWeight, &spec->weight)) {
    return Format("\"%s\" is neither a weight nor an option", words[0].c_str());
  }
  for (size_t i = first; i < words.size(); i += 2) {
    if (!IsRequestOption(words[i])) {
      return Format("unknown option \"%s\"; one of: %s", words[i].c_str(),
                    RequestOptionNames().c_str());
    }
    if (i + 1 == words.size()) return words[i] + ": its value is missing";
    const std::string error = SetRequestOption(words[i], words[i + 1], spec);
    if (!error.empty()) return error;
  }
  return "";
}

}  // namespace

std::string RequestOptionNames() {
  std::string names;
  for (const Row& row : kRows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

bool IsRequestOption(const std::string& name) {
  for (const Row& row : kRows) {
    if (name == row.name) return true;
  }
  return false;
}

std::string SetRequestOption(const std::string& name, const std::string& value, RequestSpec* spec) {
  for (const Row& row : kRows) {
    if (name != row.name) continue;
    (row.http ? spec->http_option : spec->request_option) = name;
    return row.set(value, spec);
  }
  return Format("unknown option \"%s\"", name.c_str());
}

bool Unescape(const std::string& text, std::string* bytes) {
  bytes->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      *bytes += text[i];
      continue;
    }
    const char c = ++i < text.size() ? text[i] : '?';
    const size_t simple = std::string("rnt0\\").find(c);
    if (simple != std::string::npos) {
      *bytes += std::string("\r\n\t\0\\", 5)[simple];
    } else if (c == 'x' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
               HexDigit(text[i + 2]) >= 0) {
      *bytes += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

std::string Quote(const std::string& bytes) {
  std::string text = "\"";
  for (size_t i = 0; i < bytes.size() && i < kQuotedAtMost; ++i) {
    const unsigned char c = static_cast<unsigned char>(bytes[i]);
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c < ' ' || c > '~') {
      text += Format("\\x%02x", c);
    } else {
      text += static_cast<char>(c);
    }
  }
  return text + (bytes.size() > kQuotedAtMost ? "\"..." : "\"");
}

std::string ReadScript(const std::string& path, const RequestSpec& defaults,
                       std::vector<RequestSpec>* script) {
  std::string text;
  if (!ReadWholeFile(path, &text)) return Format("--script: cannot read %s", path.c_str());
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    std::vector<std::string> words;
    RequestSpec spec = defaults;
    std::string error = SplitWords(line, &words);
    if (error.empty() && words.empty()) continue;
    if (error.empty()) error = ReadRequest(words, &spec);
    if (!error.empty()) return Format("%s:%zu: %s", path.c_str(), number, error.c_str());
    script->push_back(spec);
  }
  return script->empty() ? Format("--script: %s holds no request", path.c_str()) : "";
}

std::string RequestUsage() {
  std::string usage;
  for (const Row& row : kRows) {
    usage += Format("  %-25s %s: %s\n", row.name, row.http ? "http" : "request", row.meaning);
  }
  return usage;
}

}  // namespace io_selectors
