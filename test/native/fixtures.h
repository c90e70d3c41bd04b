// What the C++ tests stand on: connected pairs, selectors of each backend that works here, and one
// wait as a value.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends/backends.h"
#include "core/timeout.h"
#include "native/check.h"
#include "net/open_socket.h"

namespace io_selectors {

/** Long enough for whatever must come, on any machine; nothing waits so long unless it failed. */
constexpr int64_t kPatienceNs = 20 * kNsPerSecond;
/** A look at what must not come. */
constexpr int64_t kMomentNs = 3 * kNsPerMs;

/** The value; a fixture that cannot be made ends the run, saying why. */
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    std::printf("%s: %s\n", result.error().syscall, std::strerror(result.error().errno_value));
    std::abort();
  }
  return std::move(result.value());
}

/** The errno with which it was refused; 0 if it was not. */
template <typename T>
int ErrorOf(const Result<T>& result) {
  return result.error().errno_value;
}

/** The backends that this machine runs. */
const std::vector<const Backend*>& BackendsHere();

/** One line for each backend that it does not, with the reason. */
void PrintMissingBackends();

/** Takes descriptors past FD_SETSIZE where the system lets it. */
std::unique_ptr<Selector> MakeSelector(const Backend& backend);

/** Enlists `run` once a backend, as "name[backend]". */
bool EnlistForEachBackend(const char* name, void (*run)(const Backend& backend));

/** What one wait answered. */
struct Ready {
  int error = 0;
  bool woken = false;
  std::vector<ReadyEvent> events;

  const ReadyEvent* Find(int fd) const;
  /** kRead | kWrite; 0 if there is no event of it. */
  int32_t Of(int fd) const;
  int32_t FlagsOf(int fd) const;
};

/** Waits once, with a ring of exactly that capacity, so that a write past its end is seen. */
Ready WaitOnce(Selector& selector, int64_t timeout_ns, int capacity = 256);

/** Waits again if a signal ended the wait: a stopped and continued process has EINTR. */
Ready Wait(Selector& selector, int64_t timeout_ns = 0, int capacity = 256);

/** A folder of its own under /tmp, gone with its end. */
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  /** The path of a file in it, removed at the end where it was made. */
  std::string File(const std::string& name);

 private:
  std::string path_;
  std::vector<std::string> files_;
};

DescriptorPair StreamPair();
/** Connected by TCP over the loopback, non-blocking. */
DescriptorPair TcpPair();

/** Writes one byte, which must be taken. */
void Put(const OwnedFd& fd);
/** Reads until nothing is left. @returns how much there was. */
size_t TakeAll(int fd);
/** Writes until nothing more is taken. */
void FillUp(int fd);
/** Whether the other end has closed: waits for it. */
bool SeesTheEnd(int fd);
/** Waits until there is something to read. */
bool AwaitReadable(int fd);

}  // namespace io_selectors

#define BACKEND_TEST(name)                               \
  static void name(const Backend& backend);              \
  [[maybe_unused]] static const bool name##_enlisted =   \
      ::io_selectors::EnlistForEachBackend(#name, name); \
  static void name([[maybe_unused]] const Backend& backend)
