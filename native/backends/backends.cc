#include "backends/backends.h"

namespace io_selectors {

#ifdef __linux__
Result<std::unique_ptr<Selector>> MakeEpollSelector(const SelectorOptions& options);
#endif
Result<std::unique_ptr<Selector>> MakePollSelector(const SelectorOptions& options);
Result<std::unique_ptr<Selector>> MakeSelectSelector(const SelectorOptions& options);

const std::vector<Backend>& Backends() {
  static const std::vector<Backend> backends = {
#ifdef __linux__
      {"epoll", MakeEpollSelector},
#endif
      {"poll", MakePollSelector},
      {"select", MakeSelectSelector},
  };
  return backends;
}

const Backend* FindBackend(std::string_view name) {
  for (const Backend& backend : Backends()) {
    if (backend.name == name) return &backend;
  }
  return nullptr;
}

}  // namespace io_selectors
