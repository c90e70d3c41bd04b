#include "addon/waker.h"

#include <fcntl.h>

#include <unordered_map>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace io_selectors {

namespace {

/** Every open waker of the process. Never destroyed: workers may outlive static destructors. */
struct Register {
  std::mutex mutex;
  std::unordered_map<int32_t, std::weak_ptr<Waker>> wakers;
  int32_t last_handle = 0;
};

Register& TheRegister() {
  static auto* the_register = new Register();
  return *the_register;
}

}  // namespace

Result<std::shared_ptr<Waker>> Waker::Open() {
  auto waker = std::make_shared<Waker>();
  const Result<void> opened = waker->OpenDescriptors();
  if (!opened.ok()) return opened.error();
  Register& all = TheRegister();
  const std::lock_guard<std::mutex> lock(all.mutex);
  waker->handle_ = ++all.last_handle;
  all.wakers[waker->handle_] = waker;
  return waker;
}

std::shared_ptr<Waker> Waker::Find(int32_t handle) {
  Register& all = TheRegister();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.wakers.find(handle);
  return found == all.wakers.end() ? nullptr : found->second.lock();
}

void Waker::Wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!writer_.valid()) return;
  const uint64_t one = 1;
  const size_t length = reader_.valid() ? 1 : sizeof(one);
  // EAGAIN: the pipe is full, and so readable; but only a new byte is a new edge.
  if (write(writer_.get(), &one, length) < 0 && errno == EAGAIN) {
    Drain();
    const ssize_t written = write(writer_.get(), &one, length);
    (void)written;
  }
}

void Waker::Drain() {
  char drained[256];
  // An eventfd gives its counter in one read, a pipe what it holds.
  while (read(fd(), drained, sizeof(drained)) > 0) {
  }
}

void Waker::Close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    writer_.Reset();
    reader_.Reset();
  }
  Register& all = TheRegister();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.wakers.erase(handle_);
}

#ifdef __linux__

Result<void> Waker::OpenDescriptors() {
  writer_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!writer_.valid()) return LastError("eventfd");
  return {};
}

#else

Result<void> Waker::OpenDescriptors() {
  int ends[2];
  if (pipe(ends) < 0) return LastError("pipe");
  reader_.Reset(ends[0]);
  writer_.Reset(ends[1]);
  for (const int end : ends) {
    if (fcntl(end, F_SETFD, FD_CLOEXEC) < 0 || fcntl(end, F_SETFL, O_NONBLOCK) < 0) {
      return LastError("fcntl");
    }
  }
  return {};
}

#endif

}  // namespace io_selectors
