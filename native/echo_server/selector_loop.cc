// One thread, one Selector: wait, then handle each ready connection. This is Schmidt's Reactor
// without its ceremony and, with the select and poll backends, the servers of Kegel's C10K page.
// https://www.kegel.com/c10k.html

#include "echo_server/selector_loop.h"

#include "backends/backends.h"
#include "echo_server/event_loop.h"
#include "echo_server/report.h"
#include "echo_server/strategies.h"

namespace io_selectors {

namespace {

class SelectorLoop : public EventLoop<SelectorLoop, Connection> {
 public:
  static constexpr int32_t kInterest = kRead;
  static constexpr Mode kMode = Mode::kLevel;

  SelectorLoop(Server& server, Selector& selector, ListenerSharing sharing)
      : EventLoop(server, selector, sharing) {}

  void OnReady(const ReadyEvent& event, Connection& connection) {
    const bool was_blocked = connection.blocked();
    const Next next = Echo(connection);
    if (next == Next::kClose) return Close(connection);
    const bool is_blocked = next == Next::kWrite;
    if (is_blocked == was_blocked) return;
    if (!Watch(event.fd, is_blocked ? kWrite : kRead)) Close(connection);
  }
};

}  // namespace

Result<std::unique_ptr<Selector>> MakeSelector(std::string_view backend) {
  SelectorOptions options;
  options.fd_set_size = LargestFdSetSize();
  return FindBackend(backend)->make(options);
}

Result<void> ServeWithSelector(Server& server, std::string_view backend, ListenerSharing sharing) {
  const Result<std::unique_ptr<Selector>> selector = MakeSelector(backend);
  if (!selector.ok()) return selector.error();
  const auto loop = std::make_unique<SelectorLoop>(server, *selector.value(), sharing);
  return loop->Run();
}

Result<void> RunSelectorLoop(Server& server, std::string_view backend) {
  AnnounceReady(server);
  return ServeWithSelector(server, backend, ListenerSharing::kOurs);
}

}  // namespace io_selectors
