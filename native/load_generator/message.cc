#include "load_generator/message.h"

#include <algorithm>
#include <cstring>

namespace io_selectors {

namespace {

constexpr size_t kWord = sizeof(uint64_t);

/** How many bytes lie before the next word's start, at most `length`. */
size_t BytesToBoundary(size_t offset, size_t length) {
  return std::min((kWord - offset % kWord) % kWord, length);
}

}  // namespace

unsigned char Message::ByteAt(size_t offset) const {
  unsigned char bytes[kWord];
  const uint64_t word = Word(offset / kWord);
  std::memcpy(bytes, &word, kWord);
  return bytes[offset % kWord];
}

void Message::Fill(size_t offset, unsigned char* out, size_t length) const {
  const size_t end = offset + length;
  const size_t body = offset + BytesToBoundary(offset, length);
  while (offset < body) *out++ = ByteAt(offset++);
  size_t index = offset / kWord;
  for (; offset + kWord <= end; offset += kWord, out += kWord) {
    const uint64_t word = Word(index++);
    std::memcpy(out, &word, kWord);
  }
  while (offset < end) *out++ = ByteAt(offset++);
}

size_t Message::CountMatching(size_t offset, const unsigned char* data, size_t length) const {
  size_t good = 0;
  const size_t head = BytesToBoundary(offset, length);
  for (; good < head; ++good) {
    if (data[good] != ByteAt(offset + good)) return good;
  }
  size_t index = (offset + good) / kWord;
  for (; good + kWord <= length; good += kWord) {
    uint64_t word;
    std::memcpy(&word, data + good, kWord);
    if (word != Word(index++)) break;
  }
  while (good < length && data[good] == ByteAt(offset + good)) ++good;
  return good;
}

}  // namespace io_selectors
