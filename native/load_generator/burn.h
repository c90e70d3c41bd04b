// burn: runs a command and uses up CPU time beside it, a percentage of what the command uses: the
// planted cost of the regression gate, for servers whose source is not known.
#pragma once

#include <string>
#include <vector>

namespace io_selectors {

/** `--percent N -- COMMAND [ARGUMENTS]`. @returns the command's exit code. */
int Burn(const std::vector<std::string>& arguments);

}  // namespace io_selectors
