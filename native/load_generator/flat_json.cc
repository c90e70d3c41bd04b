#include "load_generator/flat_json.h"

#include <cstdlib>
#include <cstring>

#include "load_generator/text.h"

namespace io_selectors {

namespace {

/** Reads tokens from left to right; every Read… returns false and stays where the text is wrong. */
class Cursor {
 public:
  explicit Cursor(const std::string& text) : text_(text) {}

  bool Take(char wanted) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool AtEnd() {
    SkipBlanks();
    return at_ == text_.size();
  }

  bool TakeWord(const char* word) {
    SkipBlanks();
    const size_t length = std::strlen(word);
    if (text_.compare(at_, length, word) != 0) return false;
    at_ += length;
    return true;
  }

  bool ReadString(std::string* out) {
    if (!Take('"')) return false;
    out->clear();
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') {
        if (!ReadEscape(out)) return false;
      } else {
        out->push_back(text_[at_++]);
      }
    }
    return Take('"');
  }

  /** A fraction is cut off. */
  bool ReadNumber(int64_t* out) {
    SkipBlanks();
    const char* start = text_.c_str() + at_;
    char* end = nullptr;
    *out = std::strtoll(start, &end, 10);
    if (end == start) return false;
    if (*end == '.') (void)std::strtoll(end + 1, &end, 10);
    at_ = static_cast<size_t>(end - text_.c_str());
    return true;
  }

  bool ReadStrings(std::vector<std::string>* out) {
    if (!Take('[')) return false;
    if (Take(']')) return true;
    do {
      if (!ReadString(&out->emplace_back())) return false;
    } while (Take(','));
    return Take(']');
  }

 private:
  void SkipBlanks() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr) ++at_;
  }

  bool ReadEscape(std::string* out) {
    static constexpr char kNames[] = "\"\\/bfnrt";
    static constexpr char kMeant[] = "\"\\/\b\f\n\r\t";
    if (at_ + 1 >= text_.size()) return false;
    const char name = text_[at_ + 1];
    at_ += 2;
    if (name == 'u') return ReadCodePoint(out);
    const char* known = name == '\0' ? nullptr : std::strchr(kNames, name);
    if (known == nullptr) return false;
    out->push_back(kMeant[known - kNames]);
    return true;
  }

  /** Below 0x80 only: JSON.stringify() escapes nothing else that a request may hold. */
  bool ReadCodePoint(std::string* out) {
    if (at_ + 4 > text_.size()) return false;
    const std::string digits = text_.substr(at_, 4);
    char* end = nullptr;
    const long value = std::strtol(digits.c_str(), &end, 16);
    if (*end != '\0' || value >= 0x80) return false;
    at_ += 4;
    out->push_back(static_cast<char>(value));
    return true;
  }

  const std::string& text_;
  size_t at_ = 0;
};

}  // namespace

bool FlatJson::Parse(const std::string& text) {
  Cursor cursor(text);
  if (!cursor.Take('{')) return false;
  if (cursor.Take('}')) return cursor.AtEnd();
  do {
    std::string name;
    std::string value;
    int64_t number = 0;
    std::vector<std::string> list;
    if (!cursor.ReadString(&name) || !cursor.Take(':')) return false;
    if (cursor.ReadString(&value)) {
      texts_[name] = value;
    } else if (cursor.ReadStrings(&list)) {
      lists_[name] = list;
    } else if (cursor.TakeWord("true")) {
      numbers_[name] = 1;
    } else if (cursor.ReadNumber(&number)) {
      numbers_[name] = number;
    } else if (!cursor.TakeWord("false") && !cursor.TakeWord("null")) {
      return false;
    }
  } while (cursor.Take(','));
  return cursor.Take('}') && cursor.AtEnd();
}

std::string FlatJson::Text(const std::string& name) const {
  const auto found = texts_.find(name);
  return found == texts_.end() ? "" : found->second;
}

int64_t FlatJson::Number(const std::string& name, int64_t missing) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? missing : found->second;
}

std::vector<std::string> FlatJson::List(const std::string& name) const {
  const auto found = lists_.find(name);
  return found == lists_.end() ? std::vector<std::string>() : found->second;
}

std::string QuoteJson(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < ' ') {
      quoted += Format("\\u%04x", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace io_selectors
