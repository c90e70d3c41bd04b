// reactor-workers: the level-triggered reactor with a pool of threads for the handlers that block.
// The bytes of such a message stay with its connection, which is not watched until a worker has
// finished, so that its answers keep their order and the peer's window limits what it sends. All
// other connections are served meanwhile. Workers wake the reactor, and it alone sends.
#ifdef __linux__

#include <memory>
#include <vector>

#include "echo_server/event_loop.h"
#include "echo_server/report.h"
#include "echo_server/selector_loop.h"
#include "echo_server/strategies.h"
#include "echo_server/worker_pool.h"

namespace io_selectors {

namespace {

class WorkerLoop : public EventLoop<WorkerLoop, Connection> {
 public:
  static constexpr int32_t kInterest = kRead;
  static constexpr Mode kMode = Mode::kLevel;
  static constexpr BlocksIn kBlocksIn = BlocksIn::kWorker;

  WorkerLoop(Server& server, Selector& selector, WorkerPool& pool)
      : EventLoop(server, selector, ListenerSharing::kOurs), pool_(pool) {}

  void OnReady(const ReadyEvent& event, Connection& connection) {
    const bool was_unsent = connection.blocked();
    const Next next = Echo(connection);
    if (next == Next::kClose) return Close(connection);
    if (next == Next::kWorker) {
      Unwatch(event.fd);
      return pool_.Submit({event.fd, handler().blocking_calls()});
    }
    const bool is_unsent = next == Next::kWrite;
    if (is_unsent == was_unsent) return;
    if (!Watch(event.fd, is_unsent ? kWrite : kRead)) Close(connection);
  }

  /** Sends what the workers have finished. */
  void FinishTurn() {
    if (!selector().Woken()) return;
    pool_.TakeDone(&done_);
    for (const int fd : done_) Resume(fd);
  }

 private:
  /** Only this loop closes, and it did not watch the connection: `fd` is still the same one. */
  void Resume(int fd) {
    Connection& connection = ConnectionOf(fd);
    const Next next = Echo(connection);
    const int32_t interest = next == Next::kWrite ? kWrite : kRead;
    if (next == Next::kClose || !StartWatching(fd, interest)) Drop(connection);
  }

  WorkerPool& pool_;
  std::vector<int> done_;
};

}  // namespace

Result<void> RunReactorWorkers(Server& server) {
  const Result<std::unique_ptr<Selector>> selector = MakeSelector("epoll");
  if (!selector.ok()) return selector.error();
  WorkerPool pool(server.blocking);
  Result<void> started = pool.Start();
  if (started.ok()) started = selector.value()->SetWakeFd(pool.fd());
  if (!started.ok()) return started;
  AnnounceReady(server);
  const auto loop = std::make_unique<WorkerLoop>(server, *selector.value(), pool);
  return loop->Run();
}

}  // namespace io_selectors

#endif  // __linux__
