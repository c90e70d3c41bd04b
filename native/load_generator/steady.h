// Steady: whether a load is steady. A series of figures is steady if its last five neither slope
// nor vary: the least-squares line over them rises or falls by less than 2 % of their mean from the
// first to the last, and their coefficient of variation is below 5 %. No clock, no I/O.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace io_selectors {

class Steady {
 public:
  static constexpr size_t kSlices = 5;

  void Add(double figure) { last_[count_++ % kSlices] = figure; }

  bool Reached() const {
    if (count_ < kSlices) return false;
    double mean = 0;
    for (const double figure : last_) mean += figure / kSlices;
    double squares = 0;
    double products = 0;
    for (size_t i = 0; i < kSlices; ++i) {
      const double off = last_[(count_ + i) % kSlices] - mean;  // the oldest first
      squares += off * off;
      products += off * (static_cast<double>(i) - kMiddle);
    }
    const double rise = products / kSumOfSteps * (kSlices - 1);
    const double deviation = std::sqrt(squares / (kSlices - 1));
    // Nothing at all, again and again, is steady.
    return mean == 0 || (std::abs(rise) < 0.02 * mean && deviation < 0.05 * mean);
  }

 private:
  static constexpr double kMiddle = (kSlices - 1) / 2.0;
  static constexpr double kSumOfSteps = 10;  // of (i - 2)^2 over i = 0 … 4

  std::array<double, kSlices> last_{};
  size_t count_ = 0;
};

}  // namespace io_selectors
