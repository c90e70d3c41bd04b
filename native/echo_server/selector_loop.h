// The reactor's loop over a Selector of any backend, level-triggered.
#pragma once

#include <memory>
#include <string_view>

#include "core/result.h"
#include "core/selector.h"
#include "echo_server/acceptor.h"
#include "echo_server/server.h"

namespace io_selectors {

/** A Selector of the named backend that takes every descriptor this process may open. */
Result<std::unique_ptr<Selector>> MakeSelector(std::string_view backend);

/** Serves until the stop signal, then closes every connection. */
Result<void> ServeWithSelector(Server& server, std::string_view backend, ListenerSharing sharing);

}  // namespace io_selectors
