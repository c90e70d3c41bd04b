// CommandReader: reads the lines of standard input, with or without blocking. A process that waits
// for a line sleeps in read(2) and uses no CPU.
#pragma once

#include <string>

namespace io_selectors {

class CommandReader {
 public:
  /** Waits for a line, without its end. @returns false at the end of the input. */
  bool Next(std::string* line);

  /** Whether the next line is there already and is this one; allocates nothing without input. */
  bool NextIs(const char* line);

 private:
  bool ReadMore();

  std::string text_;
  bool ended_ = false;
};

}  // namespace io_selectors
