// Text for people and for JSON, in printf's own format language. Allocates: never in the loop.
#pragma once

#include <string>

namespace io_selectors {

/** printf(3) into a string of whatever length it takes. */
[[gnu::format(printf, 1, 2)]] std::string Format(const char* format, ...);

/** One line on standard output, at once. */
void PrintLine(const std::string& line);

}  // namespace io_selectors
