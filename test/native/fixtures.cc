// Fixtures by the library's own calls, and by read(2) and write(2): see fixtures.h.

#include "native/fixtures.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "net/descriptor.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr int kPatienceMs = static_cast<int>(kPatienceNs / kNsPerMs);

Result<std::unique_ptr<Selector>> TryToMake(const Backend& backend) {
  SelectorOptions options;
#ifdef __linux__
  options.fd_set_size = 1 << 16;
#endif
  return backend.make(options);
}

}  // namespace

const std::vector<const Backend*>& BackendsHere() {
  static const std::vector<const Backend*> here = [] {
    std::vector<const Backend*> found;
    for (const Backend& backend : Backends()) {
      if (backend.make != nullptr && TryToMake(backend).ok()) found.push_back(&backend);
    }
    return found;
  }();
  return here;
}

void PrintMissingBackends() {
  for (const Backend& backend : Backends()) {
    const auto& here = BackendsHere();
    if (std::find(here.begin(), here.end(), &backend) != here.end()) continue;
    std::printf("%s: not here (%s)\n", backend.name, backend.reason);
  }
}

std::unique_ptr<Selector> MakeSelector(const Backend& backend) { return Must(TryToMake(backend)); }

bool EnlistForEachBackend(const char* name, void (*run)(const Backend& backend)) {
  for (const Backend* backend : BackendsHere()) {
    Enlist(std::string(name) + "[" + backend->name + "]", [run, backend] { run(*backend); });
  }
  return true;
}

const ReadyEvent* Ready::Find(int fd) const {
  for (const ReadyEvent& event : events) {
    if (event.fd == fd) return &event;
  }
  return nullptr;
}

int32_t Ready::Of(int fd) const {
  const ReadyEvent* event = Find(fd);
  return event == nullptr ? 0 : event->ready;
}

int32_t Ready::FlagsOf(int fd) const {
  const ReadyEvent* event = Find(fd);
  return event == nullptr ? 0 : event->flags;
}

Ready WaitOnce(Selector& selector, int64_t timeout_ns, int capacity) {
  Ready ready;
  ready.events.resize(static_cast<size_t>(capacity));
  ready.events.shrink_to_fit();
  const Result<int> count = selector.Select(ready.events.data(), capacity, timeout_ns);
  ready.error = ErrorOf(count);
  ready.woken = count.ok() && selector.Woken();
  ready.events.resize(count.ok() ? static_cast<size_t>(count.value()) : 0);
  return ready;
}

Ready Wait(Selector& selector, int64_t timeout_ns, int capacity) {
  for (;;) {
    Ready ready = WaitOnce(selector, timeout_ns, capacity);
    if (ready.error != EINTR) return ready;
  }
}

Folder::Folder() : path_("/tmp/io-selectors-" + std::string(6, 'X')) {
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

Folder::~Folder() {
  for (const std::string& file : files_) unlink(file.c_str());
  rmdir(path_.c_str());
}

std::string Folder::File(const std::string& name) {
  files_.push_back(path_ + "/" + name);
  return files_.back();
}

DescriptorPair StreamPair() { return Must(OpenSocketPair(SocketType::kStream)); }

DescriptorPair TcpPair() {
  const OwnedFd listener = Must(ListenTcp(ListenOptions{}));
  ConnectOptions options;
  options.port = Must(LocalPort(listener.get()));
  OwnedFd first = Must(ConnectTcp(options));
  CHECK(AwaitReadable(listener.get()));
  OwnedFd second(Accept(listener.get()));
  CHECK(second.valid());
  return DescriptorPair{std::move(first), std::move(second)};
}

void Put(const OwnedFd& fd) { CHECK_EQ(Write(fd.get(), "x", 1), 1); }

size_t TakeAll(int fd) {
  char buffer[4096];
  size_t total = 0;
  for (ssize_t n; (n = Read(fd, buffer, sizeof(buffer))) > 0;) total += static_cast<size_t>(n);
  return total;
}

void FillUp(int fd) {
  const std::vector<char> zeros(1 << 16);
  while (Write(fd, zeros.data(), zeros.size()) > 0) {
  }
  while (Write(fd, zeros.data(), 1) > 0) {
  }
}

bool SeesTheEnd(int fd) {
  char byte;
  return AwaitReadable(fd) && Read(fd, &byte, 1) <= 0;
}

bool AwaitReadable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  int ready;
  while ((ready = poll(&watched, 1, kPatienceMs)) < 0 && errno == EINTR) {
  }
  return ready == 1;
}

}  // namespace io_selectors
