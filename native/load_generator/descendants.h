// Descendants: the processes below this one, and their end. With PR_SET_CHILD_SUBREAPER of prctl(2)
// an orphan becomes our child, so that killing children until there is none reaches all of them.
#pragma once

#include <sys/types.h>

#include <vector>

namespace io_selectors {

/** Orphans below this process become its children. Does nothing where the kernel cannot do it. */
void AdoptOrphans();

/** The children of this process's first thread; none where the kernel has no such list. */
std::vector<pid_t> OwnChildren();

/** Kills every descendant and waits for it. @param known children where there is no such list. */
void KillDescendants(const std::vector<pid_t>& known);

}  // namespace io_selectors
