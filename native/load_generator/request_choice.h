// RequestChoice: which request of a script an exchange has: a pure function of the seed, the
// connection and the number, so that nothing has to be stored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "load_generator/options.h"
#include "load_generator/protocol.h"

namespace io_selectors {

/** A pseudo-random word that follows from an exchange and a seed: splitmix64's finalizer. */
inline uint64_t HashOf(const Exchange& exchange, uint64_t seed) {
  uint64_t x = (uint64_t{exchange.connection} << 40 ^ exchange.number) + seed * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

class RequestChoice {
 public:
  explicit RequestChoice(const RunOptions& options) : seed_(static_cast<uint64_t>(options.seed)) {
    uint64_t sum = 0;
    for (const RequestSpec& spec : options.protocol.script) {
      sum += static_cast<uint64_t>(spec.weight);
      sums_.push_back(sum);
    }
  }

  /** The index of its request in the script. */
  size_t Of(const Exchange& exchange) const {
    if (sums_.size() == 1) return 0;
    const uint64_t drawn = HashOf(exchange, seed_) % sums_.back();
    const auto at = std::upper_bound(sums_.begin(), sums_.end(), drawn);
    return static_cast<size_t>(at - sums_.begin());
  }

 private:
  uint64_t seed_;
  std::vector<uint64_t> sums_;  // of the weights, up to and including each
};

}  // namespace io_selectors
