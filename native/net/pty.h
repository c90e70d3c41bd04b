// Pseudo-terminals: the controlling side and the terminal, both non-blocking. pty(7),
// posix_openpt(3)
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

/** The terminal echoes and edits lines, the default of termios(3). It does not become a controlling
 * terminal. */
Result<Pty> OpenPty();

}  // namespace io_selectors
