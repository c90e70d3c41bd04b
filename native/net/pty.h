// Pseudo-terminals. Enters: nothing. Leaves: the controlling side and the terminal, non-blocking.
// pty(7), posix_openpt(3)
#pragma once

#include <string>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

struct Pty {
  OwnedFd controller;
  OwnedFd terminal;
  std::string path;  // the terminal's
};

/** The terminal echoes and edits lines, as termios(3) has it; it becomes nobody's controlling one.
 */
Result<Pty> OpenPty();

}  // namespace io_selectors
