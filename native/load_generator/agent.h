// `load-generator agent`: what the suite runs on another machine, over ssh(1). It speaks frames of
// JSON on its standard streams: it starts programs, carries their lines, reads the kernel's files
// and reports the time. It listens on no port. When its input ends, it ends everything that it
// started.
#pragma once

#include <string>
#include <vector>

namespace io_selectors {

/**
 * Requests, by "do": clock, start, input, close, signal, read, list, memory, alive. Events, by
 * "event": hello, clock, started, line, errors, exit, files, names, memory, alive, refused. "id"
 * ties an event to its request. All times are nanoseconds.
 * @returns 0 at the end of the input; 1 on bytes that are no frames, or after a minute of silence.
 */
int RunAgent(const std::vector<std::string>& arguments);

}  // namespace io_selectors
