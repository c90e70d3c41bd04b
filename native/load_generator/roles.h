// Roles: what each connection is for, a pure function of its id, so that all processes of a run
// agree without exchanging messages. Connections with a special role are spread evenly over all
// ids.
#pragma once

#include <cstdint>

#include "load_generator/options.h"

namespace io_selectors {

enum class Role : uint8_t {
  kMeasured,
  kSilent,  // served once, and quiet after that
  kSlow,    // written to like the measured ones, never read from
  kHot,     // floods: a closed loop of its own
};

/** How many of the first `id` ids are chosen if `chosen` of `all` are, evenly spread. */
constexpr int64_t ChosenBefore(int64_t id, int64_t chosen, int64_t all) {
  return all > 0 ? id * chosen / all : 0;
}

class Roles {
 public:
  explicit Roles(const RunOptions& options)
      : all_(options.connections),
        slow_(options.slow),
        hot_(options.hot > 0 ? 1 : 0),
        others_(all_ - slow_ - hot_),
        active_(options.active > 0 ? options.active : others_) {
    if (!options.EchoLoad()) active_ = 0;
  }

  Role Of(int64_t id) const {
    if (id < hot_) return Role::kHot;
    const int64_t slow_before = ChosenBefore(id, slow_, all_);
    if (ChosenBefore(id + 1, slow_, all_) > slow_before) return Role::kSlow;
    const int64_t rank = id - hot_ - slow_before;  // among the others
    const bool active =
        ChosenBefore(rank + 1, active_, others_) > ChosenBefore(rank, active_, others_);
    return active ? Role::kMeasured : Role::kSilent;
  }

  int64_t measured() const { return active_; }
  /** Those to which the schedule, or the turn, comes. */
  int64_t targets() const { return active_ + slow_; }

 private:
  int64_t all_;
  int64_t slow_;
  int64_t hot_;
  int64_t others_;
  int64_t active_;
};

}  // namespace io_selectors
