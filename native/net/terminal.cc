#include "net/terminal.h"

#include <sys/ioctl.h>
#include <sys/stat.h>

#ifdef __linux__
#include <asm/termbits.h>  // excludes <termios.h>, which cannot express other speeds than its own
#else
#include <termios.h>
#endif
#if defined(__APPLE__) && !defined(IOSSIOSPEED)
#define IOSSIOSPEED _IOW('T', 2, speed_t)  // IOKit/serial/ioss.h, which is of another SDK part
#endif

#include <cstring>

namespace io_selectors {

namespace {

#if defined(__linux__)
#ifdef TCGETS2
using Attributes = termios2;
constexpr unsigned long kGet = TCGETS2;
constexpr unsigned long kSet = TCSETS2;
#else
using Attributes = termios;  // powerpc: its struct has the speeds
constexpr unsigned long kGet = TCGETS;
constexpr unsigned long kSet = TCSETS;
#endif

int Get(int fd, Attributes* attributes) { return ioctl(fd, kGet, attributes); }
int Set(int fd, const Attributes& attributes) { return ioctl(fd, kSet, &attributes); }

struct NamedSpeed {
  int32_t baud_rate;
  tcflag_t code;
};

constexpr NamedSpeed kNamedSpeeds[] = {
    {50, B50},           {75, B75},           {110, B110},         {134, B134},
    {150, B150},         {200, B200},         {300, B300},         {600, B600},
    {1200, B1200},       {1800, B1800},       {2400, B2400},       {4800, B4800},
    {9600, B9600},       {19200, B19200},     {38400, B38400},     {57600, B57600},
    {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
    {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000},
    {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000},
    {3500000, B3500000}, {4000000, B4000000},
};

/** Programs that use termios(3) see a speed of 0 if BOTHER is set, so it is left for odd ones.
 */
tcflag_t CodeOf(int32_t baud_rate) {
  for (const NamedSpeed& named : kNamedSpeeds) {
    if (named.baud_rate == baud_rate) return named.code;
  }
  return BOTHER;
}

void SetSpeed(Attributes* attributes, int32_t baud_rate) {
  attributes->c_cflag &= ~static_cast<tcflag_t>(CBAUD | (CBAUD << IBSHIFT));
  attributes->c_cflag |= CodeOf(baud_rate);  // input bits of 0: the output's speed
  attributes->c_ispeed = static_cast<speed_t>(baud_rate);
  attributes->c_ospeed = static_cast<speed_t>(baud_rate);
}

int32_t SpeedOf(const Attributes& attributes) { return static_cast<int32_t>(attributes.c_ospeed); }

bool SetOddSpeed(int /*fd*/, int32_t /*baud_rate*/) { return false; }

#else
using Attributes = termios;

int Get(int fd, Attributes* attributes) { return tcgetattr(fd, attributes); }
int Set(int fd, const Attributes& attributes) { return tcsetattr(fd, TCSANOW, &attributes); }

// The BSDs' speed_t is the number itself.
void SetSpeed(Attributes* attributes, int32_t baud_rate) {
  cfsetispeed(attributes, static_cast<speed_t>(baud_rate));
  cfsetospeed(attributes, static_cast<speed_t>(baud_rate));
}

int32_t SpeedOf(const Attributes& attributes) {
  return static_cast<int32_t>(cfgetospeed(&attributes));
}

/** macOS: tcsetattr takes the listed speeds only, this ioctl any. */
bool SetOddSpeed([[maybe_unused]] int fd, [[maybe_unused]] int32_t baud_rate) {
#ifdef IOSSIOSPEED
  speed_t speed = static_cast<speed_t>(baud_rate);
  return ioctl(fd, IOSSIOSPEED, &speed) == 0;
#else
  return false;
#endif
}
#endif

static_assert(sizeof(Attributes) <= TerminalState::kBytes, "a state has room for the attributes");

tcflag_t SizeOf(int32_t data_bits) {
  switch (data_bits) {
    case 5:
      return CS5;
    case 6:
      return CS6;
    case 7:
      return CS7;
    default:
      return CS8;
  }
}

int32_t BitsOf(tcflag_t size) {
  if (size == CS5) return 5;
  if (size == CS6) return 6;
  return size == CS7 ? 7 : 8;
}

/** As cfmakeraw(3), without parity marks. With VMIN 1, a read fails with EAGAIN if there are no
 * bytes; with 0 it would return 0, as at the end of the file. */
void MakeRaw(Attributes* attributes) {
  attributes->c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR |
                                                ICRNL | IXON | IXOFF | IXANY | INPCK);
  attributes->c_oflag &= ~static_cast<tcflag_t>(OPOST);
  attributes->c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  attributes->c_cc[VMIN] = 1;
  attributes->c_cc[VTIME] = 0;
}

void SetLine(Attributes* attributes, const SerialLine& line) {
  attributes->c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
  // CLOCAL: the line lives without a modem's carrier.
  attributes->c_cflag |= CREAD | CLOCAL | SizeOf(line.data_bits);
  if (line.parity != Parity::kNone) {
    attributes->c_cflag |= PARENB;
    attributes->c_iflag |= INPCK;
  }
  if (line.parity == Parity::kOdd) attributes->c_cflag |= PARODD;
  if (line.stop_bits == 2) attributes->c_cflag |= CSTOPB;
  if (line.flow_control == FlowControl::kHardware) attributes->c_cflag |= CRTSCTS;
  if (line.flow_control == FlowControl::kSoftware) attributes->c_iflag |= IXON | IXOFF;
}

SerialLine LineOf(const Attributes& attributes) {
  SerialLine line;
  const tcflag_t control = attributes.c_cflag;
  line.baud_rate = SpeedOf(attributes);
  line.data_bits = BitsOf(control & CSIZE);
  if ((control & PARENB) != 0) {
    line.parity = (control & PARODD) != 0 ? Parity::kOdd : Parity::kEven;
  }
  line.stop_bits = (control & CSTOPB) != 0 ? 2 : 1;
  if ((control & CRTSCTS) != 0) {
    line.flow_control = FlowControl::kHardware;
  } else if ((attributes.c_iflag & IXON) != 0) {
    line.flow_control = FlowControl::kSoftware;
  }
  line.canonical = (attributes.c_lflag & ICANON) != 0 ? 1 : 0;
  line.echo = (attributes.c_lflag & ECHO) != 0 ? 1 : 0;
  return line;
}

/** Drivers round a speed to what their clock divides to; past 3 % a receiver loses bits. */
bool IsClose(int32_t wanted, int32_t taken) {
  const int64_t difference = int64_t{wanted} - taken;
  const int64_t distance = difference < 0 ? -difference : difference;
  return distance * 100 <= int64_t{wanted} * 3;
}

bool Took(const SerialLine& wanted, const SerialLine& taken) {
  return taken.data_bits == wanted.data_bits && taken.parity == wanted.parity &&
         taken.stop_bits == wanted.stop_bits && taken.flow_control == wanted.flow_control &&
         taken.canonical == 0 &&
         (wanted.baud_rate == 0 || IsClose(wanted.baud_rate, taken.baud_rate));
}

struct Identity {
  uint64_t device = 0;
  uint64_t inode = 0;
};

Result<Identity> IdentityOf(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0) return LastError("fstat");
  return Identity{static_cast<uint64_t>(status.st_rdev), static_cast<uint64_t>(status.st_ino)};
}

Result<void> Apply(int fd, Attributes attributes, const SerialLine& line) {
  MakeRaw(&attributes);
  SetLine(&attributes, line);
  const Attributes same_speed = attributes;
  if (line.baud_rate != 0) SetSpeed(&attributes, line.baud_rate);
  if (Set(fd, attributes) == 0) return {};
  const Error refused = LastError("tcsetattr");
  if (Set(fd, same_speed) == 0 && SetOddSpeed(fd, line.baud_rate)) return {};
  return refused;
}

}  // namespace

Result<TerminalState> EnterRawMode(int fd, const SerialLine& line) {
  Attributes before{};
  if (Get(fd, &before) < 0) return LastError("tcgetattr");
  const Result<Identity> identity = IdentityOf(fd);
  if (!identity.ok()) return identity.error();
  const Result<void> applied = Apply(fd, before, line);
  const Result<SerialLine> taken = ReadTerminal(fd);
  if (!applied.ok() || !taken.ok() || !Took(line, taken.value())) {
    (void)Set(fd, before);
    if (!applied.ok()) return applied.error();
    return taken.ok() ? Error{EINVAL, "tcsetattr"} : taken.error();
  }
  TerminalState state{};
  std::memcpy(state.attributes, &before, sizeof(before));
  state.device = identity.value().device;
  state.inode = identity.value().inode;
  return state;
}

Result<void> RestoreTerminal(int fd, const TerminalState& state) {
  const Result<Identity> identity = IdentityOf(fd);
  if (!identity.ok()) return identity.error();
  if (identity.value().device != state.device || identity.value().inode != state.inode) {
    return Error{EBADF, "tcsetattr"};
  }
  Attributes before;
  std::memcpy(&before, state.attributes, sizeof(before));
  if (Set(fd, before) < 0) return LastError("tcsetattr");
  return {};
}

Result<SerialLine> ReadTerminal(int fd) {
  Attributes attributes{};
  if (Get(fd, &attributes) < 0) return LastError("tcgetattr");
  return LineOf(attributes);
}

}  // namespace io_selectors
