// The two JSON lines that a contender prints. Enters: the server and its counters. Leaves: standard
// output.
#pragma once

#include "echo_server/server.h"

namespace io_selectors {

/** Prints the ready line; a strategy calls it once, when connections will be served. */
void AnnounceReady(const Server& server);

void PrintCounters(const Counters& counters);

/** Says once on standard error why accepting pauses; `said` remembers that. */
void SayOnce(bool* said, const char* call, int error);

}  // namespace io_selectors
