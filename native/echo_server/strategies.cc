#include "echo_server/strategies.h"

namespace io_selectors {

const std::vector<Strategy>& Strategies() {
  static const std::vector<Strategy> strategies = {
      {"thread-per-connection", RunThreadPerConnection},
      {"busy-poll", RunBusyPoll},
      {"select", [](Server& server) { return RunSelectorLoop(server, "select"); }},
      {"poll", [](Server& server) { return RunSelectorLoop(server, "poll"); }},
#ifdef __linux__
      {"reactor-epoll", [](Server& server) { return RunSelectorLoop(server, "epoll"); }},
      {"reactor-epoll-edge", RunEdgeLoop},
      {"reactor-workers", RunReactorWorkers},
      {"proactor-epoll", RunProactor},
      {"io_uring", RunIoUring},
      {"process-per-connection", RunProcessPerConnection},
      {"prefork", RunPrefork},
      {"prefork-reuseport", RunPreforkReuseport, true},
#endif
  };
  return strategies;
}

}  // namespace io_selectors
