// Message: the payload. Every byte of it follows from the connection's id and the message's number,
// so that a wrong, missing, extra or foreign byte is detected at once, in pieces of any size. No
// copy of what was sent is needed: any part of any message can be made again.
#pragma once

#include <cstddef>
#include <cstdint>

namespace io_selectors {

/**
 * One message's bytes: 8-byte words, `key + i * step`. The key is a bijection of (connection,
 * sequence), so that messages of 8 bytes or more never equal each other, and shorter ones only by
 * chance.
 */
class Message {
 public:
  /** @param connection below 2^24 @param sequence below 2^40 */
  Message(uint32_t connection, uint64_t sequence)
      : key_(Mix(static_cast<uint64_t>(connection) << 40 ^ sequence)) {}

  /** Writes the bytes from `offset` on, `length` of them, to `out`. */
  void Fill(size_t offset, unsigned char* out, size_t length) const;

  /** @returns how many bytes are right before the first wrong one: `length` if all are. */
  size_t CountMatching(size_t offset, const unsigned char* data, size_t length) const;

  unsigned char ByteAt(size_t offset) const;

 private:
  /** The finalizer of splitmix64 (Steele, Lea, Flood 2014): every bit of the input moves half of
   * the output's. */
  static uint64_t Mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }

  uint64_t Word(size_t index) const { return key_ + index * 0x9E3779B97F4A7C15u; }

  uint64_t key_;
};

}  // namespace io_selectors
