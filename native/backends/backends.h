// The one table that names the backends, their capabilities and their factories. A backend is one
// file and one row here.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/selector.h"

namespace io_selectors {

struct SelectorOptions {
  /** select only: descriptors below this can be watched; 0 means FD_SETSIZE, what POSIX promises.
   */
  int fd_set_size = 0;
};

/** An fd_set_size for every descriptor that this process may open, or the largest one here. */
int LargestFdSetSize();

struct Backend {
  const char* name;
  /**
   * Makes a selector; the error has the call that this machine refused. nullptr if this build does
   * not contain the backend.
   */
  Result<std::unique_ptr<Selector>> (*make)(const SelectorOptions& options);
  /** Why this build does not contain it, or what usually causes the refusal; in words. */
  const char* reason;
  /** Whether DefaultSelector may pick it. */
  bool by_default;
};

/** Every backend that there is, in the order in which DefaultSelector tries them. */
const std::vector<Backend>& Backends();

/** The row of that name if this build contains it, else nullptr. */
const Backend* FindBackend(std::string_view name);

}  // namespace io_selectors
