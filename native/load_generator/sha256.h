// Sha256: the hash of an answer's body, taken as it comes in. FIPS 180-4
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace io_selectors {

class Sha256 {
 public:
  using Digest = std::array<unsigned char, 32>;

  void Add(const unsigned char* data, size_t length);

  /** Ends the message; then only assignment of a new Sha256 makes sense. */
  Digest End();

 private:
  void Compress(const unsigned char* block);

  std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> block_{};
  uint64_t length_ = 0;
};

}  // namespace io_selectors
