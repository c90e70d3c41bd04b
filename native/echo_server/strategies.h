// The one table of strategies: a strategy is one file and one row in strategies.cc.
#pragma once

#include <string_view>
#include <vector>

#include "core/result.h"
#include "echo_server/server.h"

namespace io_selectors {

struct Strategy {
  std::string_view name;
  /** Serves until the stop signal, closes every connection and leaves the counters in `server`. */
  Result<void> (*run)(Server& server);
};

const std::vector<Strategy>& Strategies();

Result<void> RunThreadPerConnection(Server& server);
Result<void> RunBusyPoll(Server& server);
/** One thread over a Selector of the named backend: select, poll and the reactors differ in nothing
 * else. */
Result<void> RunSelectorLoop(Server& server, std::string_view backend);

}  // namespace io_selectors
