// The two JSON lines that a contender prints on standard output: that it is ready, and its
// counters.
#pragma once

#include "echo_server/server.h"

namespace io_selectors {

/** Prints the ready line; a strategy calls it once, when connections will be served. */
void AnnounceReady(const Server& server);

void PrintCounters(const Counters& counters);

/**
 * From now on SIGUSR2 prints a line "snapshot" with the counters so far, so that the calls of a
 * stretch of time are a difference. The loops need not know: a wait that it ends is begun again.
 * @param counters must outlive the process's last signal.
 */
Result<void> InstallSnapshots(const AllCounters& counters);

/** Says once on standard error why accepting pauses; `said` remembers that. */
void SayOnce(bool* said, const char* call, int error);

}  // namespace io_selectors
