#include "load_generator/command_reader.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace io_selectors {

bool CommandReader::Next(std::string* line) {
  for (;;) {
    const size_t end = text_.find('\n');
    if (end != std::string::npos) {
      *line = text_.substr(0, end);
      text_.erase(0, end + 1);
      return true;
    }
    if (ended_ || !ReadMore()) return false;
  }
}

bool CommandReader::NextIs(const char* line) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  const bool whole = text_.find('\n') != std::string::npos;
  if (!whole && (ended_ || poll(&input, 1, 0) <= 0 || !ReadMore())) return false;
  const size_t length = std::strlen(line);
  return text_.compare(0, length, line) == 0 && text_.size() > length && text_[length] == '\n';
}

/** A last line without its end is no command: its writer may have been cut off. */
bool CommandReader::ReadMore() {
  char bytes[1024];
  ssize_t length;
  do {
    length = read(STDIN_FILENO, bytes, sizeof(bytes));
  } while (length < 0 && errno == EINTR);
  if (length > 0) text_.append(bytes, static_cast<size_t>(length));
  ended_ = length <= 0;
  return !ended_;
}

}  // namespace io_selectors
