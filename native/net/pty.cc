#include "net/pty.h"

#include <fcntl.h>
#include <stdlib.h>

#include "net/descriptor.h"

namespace io_selectors {

namespace {

Result<OwnedFd> OpenController() {
#ifdef __linux__
  OwnedFd fd(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return LastError("posix_openpt");
#else
  OwnedFd fd(posix_openpt(O_RDWR | O_NOCTTY));
  if (!fd.valid()) return LastError("posix_openpt");
  const Result<void> cloexec = SetCloseOnExec(fd.get());
  if (!cloexec.ok()) return cloexec.error();
  const Result<void> flags = SetNonBlocking(fd.get(), true);
  if (!flags.ok()) return flags.error();
#endif
  if (grantpt(fd.get()) < 0) return LastError("grantpt");
  if (unlockpt(fd.get()) < 0) return LastError("unlockpt");
  return fd;
}

Result<std::string> TerminalPath(int controller) {
#ifdef __linux__
  char path[64];
  const int error = ptsname_r(controller, path, sizeof(path));
  if (error != 0) return Error{error, "ptsname_r"};
#else
  const char* path = ptsname(controller);
  if (path == nullptr) return LastError("ptsname");
#endif
  return std::string(path);
}

}  // namespace

Result<Pty> OpenPty() {
  Result<OwnedFd> controller = OpenController();
  if (!controller.ok()) return controller.error();
  Result<std::string> path = TerminalPath(controller.value().get());
  if (!path.ok()) return path.error();
  OwnedFd terminal(open(path.value().c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!terminal.valid()) return LastError("open");
  return Pty{std::move(controller.value()), std::move(terminal), std::move(path.value())};
}

}  // namespace io_selectors
