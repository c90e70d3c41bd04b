// A terminal's line discipline and its serial line: raw mode, speed, frame and flow control,
// without stty. termios(3), TCSETS2 in ioctl_tty(2)
#pragma once

#include <cstdint>

#include "core/result.h"

namespace io_selectors {

enum class Parity : int32_t { kNone, kEven, kOdd };
enum class FlowControl : int32_t { kNone, kHardware, kSoftware };

/** Plain integers in this order, because TypeScript passes them as an Int32Array. */
struct SerialLine {
  int32_t baud_rate = 0;  // bits per second; 0: unchanged
  int32_t data_bits = 8;  // 5 … 8
  Parity parity = Parity::kNone;
  int32_t stop_bits = 1;  // 1 or 2
  FlowControl flow_control = FlowControl::kNone;
  int32_t canonical = 0;  // ICANON: lines are edited and delivered whole; only read back
  int32_t echo = 0;       // ECHO; only read back
};

/** What RestoreTerminal() needs: the terminal's attributes, and which terminal had them. */
struct TerminalState {
  static constexpr int kBytes = 128;
  alignas(8) unsigned char attributes[kBytes];
  uint64_t device = 0;
  uint64_t inode = 0;
};

/**
 * Sets a terminal raw (as cfmakeraw(3) does, with VMIN 1) and its line as given.
 * @returns the state before. ENOTTY for other descriptors; EINVAL, with nothing changed, if the
 *   device did not take the line as given: tcsetattr(3) succeeds even then.
 */
Result<TerminalState> EnterRawMode(int fd, const SerialLine& line);

/** EBADF if the number belongs to another terminal by now. */
Result<void> RestoreTerminal(int fd, const TerminalState& state);

Result<SerialLine> ReadTerminal(int fd);

}  // namespace io_selectors
