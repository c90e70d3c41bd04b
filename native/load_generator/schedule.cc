#include "load_generator/schedule.h"

#include <cmath>

namespace io_selectors {

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9E3779B97F4A7C15u;
    uint64_t x = seed;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    word = x ^ (x >> 31);
  }
}

uint64_t Random::Next() {
  const auto rotate = [](uint64_t x, int k) { return x << k | x >> (64 - k); };
  const uint64_t result = rotate(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = rotate(state_[3], 45);
  return result;
}

double Random::Exponential() {
  const double uniform = static_cast<double>(Next() >> 11) * 0x1.0p-53;  // 0 … 1, never 1
  return -std::log1p(-uniform);
}

Schedule::Schedule(const RunOptions& options, const Share& share)
    : random_(share.seed),
      arrivals_(options.schedule),
      targets_(share.targets),
      gap_ns_(1e9 / share.rate),
      tick_ns_(static_cast<double>(options.tick_us) * 1e3),
      target_(targets_ - 1) {
  // Every process its own place between two arrivals of another: together they are even, too.
  if (arrivals_ == Arrivals::kFixed) offset_ns_ -= gap_ns_ * share.index / share.processes;
  Advance();
}

void Schedule::Advance() {
  if (arrivals_ == Arrivals::kPoisson) {
    offset_ns_ += gap_ns_ * random_.Exponential();
    target_ = random_.Below(targets_);
  } else {
    offset_ns_ += gap_ns_;
    target_ = target_ + 1 == targets_ ? 0 : target_ + 1;
  }
  const double due = tick_ns_ > 0 ? std::ceil(offset_ns_ / tick_ns_) * tick_ns_ : offset_ns_;
  due_ns_ = start_ns_ + static_cast<int64_t>(due);
}

}  // namespace io_selectors
