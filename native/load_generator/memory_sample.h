// MemorySample: the memory that the server, this generator and the kernel use now. proc(5):
// smaps_rollup of every process, /proc/meminfo, /proc/net/sockstat. Over loopback the kernel's
// share holds both ends of every connection.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "load_generator/process_tree.h"

namespace io_selectors {

/** Bytes; kUnknown if not available. */
struct MemorySample {
  int64_t server_pss = kUnknown;  // shared pages by their share; of the whole tree
  int64_t server_private = kUnknown;
  int64_t client_pss = kUnknown;
  int64_t kernel_slab = kUnknown;   // sockets, file and epoll entries; reclaimable or not
  int64_t kernel_stack = kUnknown;  // of every thread of the machine
  int64_t page_table = kUnknown;
  int64_t socket = kUnknown;     // what TCP has set aside for buffers; lies partly in the slab
  int64_t available = kUnknown;  // MemAvailable
  int64_t server_processes = 0;
  int64_t server_threads = 0;

  /** Slab, stacks and page tables; what sockets buffer is partly in the first. */
  int64_t Kernel() const;
};

MemorySample TakeMemorySample(ProcessTree& server, ProcessTree& client);

}  // namespace io_selectors
