// The one table of strategies: a strategy is one file and one row in strategies.cc.
#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "echo_server/server.h"

namespace io_selectors {

struct Strategy {
  std::string_view name;
  /** Announces that it is ready, serves until the stop signal, closes every connection and leaves
   * the counters in `server`. */
  Result<void> (*run)(Server& server);
  /** Whether its workers listen with sockets of their own, so that the first one must have
   * SO_REUSEPORT, too. socket(7) */
  bool listens_by_worker = false;
};

const std::vector<Strategy>& Strategies();

Result<void> RunThreadPerConnection(Server& server);
Result<void> RunBusyPoll(Server& server);
/** One thread over a Selector of the named backend: select, poll and the reactors differ in nothing
 * else. */
Result<void> RunSelectorLoop(Server& server, std::string_view backend);
#ifdef __linux__
Result<void> RunEdgeLoop(Server& server);
/** The reactor over epoll with a pool of threads for handlers that block. */
Result<void> RunReactorWorkers(Server& server);
Result<void> RunProactor(Server& server);
Result<void> RunIoUring(Server& server);
/** Whether the io_uring strategy can do without that. */
bool IsIoUringFeature(std::string_view name);
Result<void> RunProcessPerConnection(Server& server);
/** A reactor a process: all accept from one listener, or each from one of its own. */
Result<void> RunPrefork(Server& server);
Result<void> RunPreforkReuseport(Server& server);
#endif

}  // namespace io_selectors
