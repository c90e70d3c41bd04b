// Instants: a common start of several generators, each given in the CLOCK_MONOTONIC of its own
// host.
#pragma once

#include <cstdint>
#include <string>

namespace io_selectors {

/** The exit code of a generator whose input ended before it was told to begin. */
constexpr int kNoBegin = 3;

/**
 * Sleeps until `lead_ns` before an instant of CLOCK_MONOTONIC; returns at once for 0.
 * @returns how late it is if that moment has passed; otherwise 0.
 */
int64_t AwaitInstant(int64_t at_ns, int64_t lead_ns);

/** Why a command is refused whose instant has passed. */
std::string LateReason(int64_t late_ns);

/**
 * How long this process was ready to run while others used its CPU, since it was started; -1 if
 * unknown. proc_pid_schedstat(5)
 */
int64_t WaitedForCpuNs();

/**
 * Waits for `begin at-ns=T` on standard input, and then until T. An instant that has passed is
 * refused, and the next line is waited for. @returns T; 0 at the end of the input.
 */
int64_t AwaitBegin();

/** The instant of a line `begin at-ns=T`; 0: it is no such line. */
int64_t InstantOf(const std::string& line);

}  // namespace io_selectors
