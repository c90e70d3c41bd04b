// Histogram: latencies in nanoseconds to three significant digits, in the layout of Gil Tene's
// HdrHistogram, so that any of its readers takes our output (http://hdrhistogram.org).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace io_selectors {

/** Zero bytes are an empty one. */
class Histogram {
 public:
  /** Values up to this one are resolved; larger ones are counted as this one. */
  static constexpr int64_t kLargestNs = 3'600'000'000'000;  // an hour

  void Record(int64_t ns) {
    const uint64_t value = static_cast<uint64_t>(std::clamp(ns, int64_t{0}, kLargestNs));
    ++counts_[IndexOf(value)];
  }

  void Add(const Histogram& other);

  uint64_t Count() const;

  /** The largest value of the bin in which that share (0 … 1) of all is reached; 0 if nothing
   * was recorded. */
  int64_t Quantile(double share) const;

  /** The uncompressed V2 encoding (cookie 0x1c849313, ZigZag LEB128 counts), in base64. */
  std::string EncodeBase64() const;

 private:
  // Two thousand and forty-eight bins for the lowest values, then half as many for each doubling.
  static constexpr int kSubBucketBits = 11;
  static constexpr uint64_t kSubBuckets = 1 << kSubBucketBits;
  static constexpr uint64_t kHalf = kSubBuckets / 2;

  static constexpr size_t IndexOf(uint64_t value) {
    const int bucket = 64 - kSubBucketBits - __builtin_clzll(value | (kSubBuckets - 1));
    return (static_cast<size_t>(bucket) << (kSubBucketBits - 1)) + (value >> bucket);
  }

  static int64_t LargestOf(size_t index);
  size_t UsedBins() const;

  static constexpr size_t kBins = 32 * kHalf + kHalf;

  std::array<uint32_t, kBins> counts_{};  // an hour at a million messages per second fits
};

/** RFC 4648, padded. */
std::string Base64(const std::string& bytes);

}  // namespace io_selectors
