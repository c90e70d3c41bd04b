#include "load_generator/sha256.h"

#include <algorithm>
#include <cstring>

namespace io_selectors {

namespace {

// The fractional parts of the cube roots of the first 64 primes. FIPS 180-4, 4.2.2
constexpr uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t Rotate(uint32_t word, unsigned bits) { return word >> bits | word << (32 - bits); }

uint32_t ReadBigEndian(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

void Sha256::Add(const unsigned char* data, size_t length) {
  size_t held = length_ % block_.size();
  length_ += length;
  while (length > 0) {
    if (held == 0 && length >= block_.size()) {
      Compress(data);
      data += block_.size();
      length -= block_.size();
      continue;
    }
    const size_t part = std::min(length, block_.size() - held);
    std::memcpy(block_.data() + held, data, part);
    data += part;
    length -= part;
    held = (held + part) % block_.size();
    if (held == 0) Compress(block_.data());
  }
}

Sha256::Digest Sha256::End() {
  const uint64_t bits = length_ * 8;
  constexpr unsigned char kPadding[64] = {0x80};
  const size_t held = length_ % block_.size();
  Add(kPadding, held < 56 ? 56 - held : 120 - held);
  unsigned char counted[8];
  for (size_t i = 0; i < sizeof(counted); ++i) {
    counted[i] = static_cast<unsigned char>(bits >> (56 - 8 * i));
  }
  Add(counted, sizeof(counted));
  Digest digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<unsigned char>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

void Sha256::Compress(const unsigned char* block) {
  uint32_t words[64];
  for (size_t i = 0; i < 16; ++i) words[i] = ReadBigEndian(block + 4 * i);
  for (size_t i = 16; i < 64; ++i) {
    const uint32_t a = words[i - 15];
    const uint32_t b = words[i - 2];
    const uint32_t s0 = Rotate(a, 7) ^ Rotate(a, 18) ^ a >> 3;
    const uint32_t s1 = Rotate(b, 17) ^ Rotate(b, 19) ^ b >> 10;
    words[i] = words[i - 16] + s0 + words[i - 7] + s1;
  }
  std::array<uint32_t, 8> v = state_;
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t s1 = Rotate(v[4], 6) ^ Rotate(v[4], 11) ^ Rotate(v[4], 25);
    const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    const uint32_t one = v[7] + s1 + choice + kRounds[i] + words[i];
    const uint32_t s0 = Rotate(v[0], 2) ^ Rotate(v[0], 13) ^ Rotate(v[0], 22);
    const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    for (size_t j = 7; j > 0; --j) v[j] = v[j - 1];
    v[4] += one;
    v[0] = one + s0 + majority;
  }
  for (size_t i = 0; i < state_.size(); ++i) state_[i] += v[i];
}

}  // namespace io_selectors
