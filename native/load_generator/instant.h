// Instants: a common start of several generators, each told in its own host's CLOCK_MONOTONIC.
#pragma once

#include <cstdint>
#include <string>

namespace io_selectors {

/** The exit code of a generator whose input ended before it was told to begin. */
constexpr int kNoBegin = 3;

/**
 * Sleeps until `lead_ns` before an instant of CLOCK_MONOTONIC; returns at once for 0.
 * @returns how late it is, as a reason, if that moment has passed; otherwise nothing.
 */
std::string AwaitInstant(int64_t at_ns, int64_t lead_ns);

/**
 * Waits for `begin at-ns=T` on standard input, and then until T. An instant that has passed is
 * refused, and the next line is waited for. @returns T; 0 at the end of the input.
 */
int64_t AwaitBegin();

/** The instant of a line `begin at-ns=T`; 0: it is no such line. */
int64_t InstantOf(const std::string& line);

}  // namespace io_selectors
