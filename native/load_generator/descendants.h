// Descendants: finds the processes below this one and ends them. With PR_SET_CHILD_SUBREAPER of
// prctl(2) an orphan becomes our child, so that killing children until none is left reaches all of
// them.
#pragma once

#include <sys/types.h>

#include <vector>

namespace io_selectors {

/** Orphans below this process become its children. Does nothing if the kernel cannot do it. */
void AdoptOrphans();

/** The children of this process's first thread; none if the kernel has no such list. */
std::vector<pid_t> OwnChildren();

/** Kills every descendant and waits for it, up to 30 s. @param known children if there is no such
 * list. */
void KillDescendants(const std::vector<pid_t>& known);

}  // namespace io_selectors
