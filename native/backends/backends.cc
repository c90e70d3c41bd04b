#include "backends/backends.h"

namespace io_selectors {

// A factory that this build does not contain is nullptr; its row then says why.
using Factory = Result<std::unique_ptr<Selector>>(const SelectorOptions& options);

#ifdef __linux__
Factory MakeEpollSelector;
constexpr Factory* kEpoll = MakeEpollSelector;
#else
constexpr Factory* kEpoll = nullptr;
#endif
Factory MakePollSelector;
Factory MakeSelectSelector;

const std::vector<Backend>& Backends() {
  static const std::vector<Backend> backends = {
      {"epoll", kEpoll, "Linux only", true},
      {"poll", MakePollSelector, "", true},
      {"select", MakeSelectSelector, "", true},
  };
  return backends;
}

const Backend* FindBackend(std::string_view name) {
  for (const Backend& backend : Backends()) {
    if (backend.name == name && backend.make != nullptr) return &backend;
  }
  return nullptr;
}

}  // namespace io_selectors
