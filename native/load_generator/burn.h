// burn: runs a command and uses up CPU time beside it, so many per cent of what the command uses. The
// planted cost of the regression gate, for servers of which no source is known.
#pragma once

#include <string>
#include <vector>

namespace io_selectors {

/** `--percent N -- COMMAND [ARGUMENTS]`. @returns the command's exit code. */
int Burn(const std::vector<std::string>& arguments);

}  // namespace io_selectors
