#include "load_generator/histogram.h"

#include <cmath>
#include <cstring>

namespace io_selectors {

namespace {

constexpr uint32_t kCookie = 0x1c849303 | 0x10;  // V2; 0x10: counts are ZigZag LEB128
constexpr uint32_t kSignificantDigits = 3;

template <typename T>
void AppendBigEndian(std::string* out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

/** ZigZag LEB128. Ours stay below 2^34, so the format's special ninth byte never comes. */
void AppendZigZag(std::string* out, int64_t value) {
  uint64_t rest = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  while (rest >= 0x80) {
    out->push_back(static_cast<char>((rest & 0x7F) | 0x80));
    rest >>= 7;
  }
  out->push_back(static_cast<char>(rest));
}

/** Each count as it is; a run of empty bins as its negated length. */
std::string EncodeCounts(const uint32_t* counts, size_t length) {
  std::string payload;
  for (size_t i = 0; i < length;) {
    size_t end = i;
    while (end < length && counts[end] == 0) ++end;
    if (end > i) {
      AppendZigZag(&payload, end - i == 1 ? 0 : -static_cast<int64_t>(end - i));
      i = end;
    } else {
      AppendZigZag(&payload, counts[i++]);
    }
  }
  return payload;
}

}  // namespace

void Histogram::Add(const Histogram& other) {
  static_assert(IndexOf(static_cast<uint64_t>(kLargestNs)) < kBins);
  const size_t used = other.UsedBins();
  for (size_t i = 0; i < used; ++i) counts_[i] += other.counts_[i];
}

uint64_t Histogram::Count() const {
  uint64_t total = 0;
  for (const uint32_t count : counts_) total += count;
  return total;
}

int64_t Histogram::Quantile(double share) const {
  const double wanted = std::ceil(share * static_cast<double>(Count()));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > 0 && static_cast<double>(seen) >= wanted) return LargestOf(i);
  }
  return 0;
}

std::string Histogram::EncodeBase64() const {
  const std::string payload = EncodeCounts(counts_.data(), UsedBins());
  const double ratio = 1.0;
  uint64_t ratio_bits;
  std::memcpy(&ratio_bits, &ratio, sizeof(ratio_bits));
  std::string out;
  AppendBigEndian(&out, kCookie);
  AppendBigEndian(&out, static_cast<uint32_t>(payload.size()));
  AppendBigEndian(&out, uint32_t{0});  // normalizing index offset
  AppendBigEndian(&out, kSignificantDigits);
  AppendBigEndian(&out, uint64_t{1});  // lowest value told from zero
  AppendBigEndian(&out, static_cast<uint64_t>(kLargestNs));
  AppendBigEndian(&out, ratio_bits);  // integer to double conversion ratio
  return Base64(out + payload);
}

int64_t Histogram::LargestOf(size_t index) {
  const size_t bucket = index < kSubBuckets ? 0 : index / kHalf - 1;
  const uint64_t sub_bucket = index - bucket * kHalf;
  return static_cast<int64_t>(((sub_bucket + 1) << bucket) - 1);
}

size_t Histogram::UsedBins() const {
  size_t used = counts_.size();
  while (used > 0 && counts_[used - 1] == 0) --used;
  return used;
}

std::string Base64(const std::string& bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      out.push_back(i + j > bytes.size() ? '=' : kDigits[group >> (18 - 6 * j) & 0x3F]);
    }
  }
  return out;
}

}  // namespace io_selectors
