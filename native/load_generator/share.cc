#include "load_generator/share.h"

#include "load_generator/roles.h"

namespace io_selectors {

namespace {

/** Connections of the processes before this one. */
int64_t Before(int64_t total, uint32_t index, uint32_t processes) {
  return total * index / processes;
}

}  // namespace

Share ShareOf(const RunOptions& options, uint32_t index, uint32_t processes) {
  const Roles roles(options);
  const int64_t first = Before(options.connections, index, processes);
  Share share;
  share.index = index;
  share.processes = processes;
  share.first_id = static_cast<uint32_t>(first);
  share.connections = static_cast<uint32_t>(PartOf(options.connections, index, processes));
  int64_t measured_before = 0;
  int64_t measured = 0;
  for (int64_t id = 0; id < first + share.connections; ++id) {
    const Role role = roles.Of(id);
    if (role == Role::kMeasured) ++(id < first ? measured_before : measured);
    const bool mine = id >= first && (role == Role::kMeasured || role == Role::kSlow);
    share.targets += mine ? 1 : 0;
  }
  const int64_t targets = roles.targets();
  if (targets > 0) {
    share.rate = static_cast<double>(options.rate) * share.targets / static_cast<double>(targets);
  }
  // Differences of one rounded running sum: the parts add up to the whole.
  const int64_t all = roles.measured();
  share.in_flight = all > 0 ? options.in_flight * (measured_before + measured) / all -
                                  options.in_flight * measured_before / all
                            : PartOf(options.in_flight, index, processes);
  share.seed = static_cast<uint64_t>(options.seed) + 0x9E3779B97F4A7C15u * index;
  return share;
}

Share ShareOfPart(const RunOptions& options, uint32_t index, uint32_t processes) {
  const auto part = static_cast<uint32_t>(options.part);
  const auto parts = static_cast<uint32_t>(options.parts);
  return ShareOf(options, part * processes + index, parts * processes);
}

}  // namespace io_selectors
