#include "load_generator/frames.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace io_selectors {

namespace {

constexpr size_t kHeaderBytes = 4;

}  // namespace

bool FrameReader::ReadFrom(int fd) {
  std::array<char, 65'536> chunk;
  ssize_t length;
  do {
    length = read(fd, chunk.data(), chunk.size());
  } while (length < 0 && errno == EINTR);
  if (length <= 0) return false;
  bytes_.append(chunk.data(), static_cast<size_t>(length));
  return true;
}

bool FrameReader::Next(std::string* message) {
  if (broken_ || bytes_.size() < kHeaderBytes) return false;
  size_t length = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes_[i]);
  }
  broken_ = length > kLongestFrame;
  if (broken_ || bytes_.size() < kHeaderBytes + length) return false;
  *message = bytes_.substr(kHeaderBytes, length);
  bytes_.erase(0, kHeaderBytes + length);
  return true;
}

bool WriteFrame(int fd, const std::string& message) {
  std::string bytes;
  bytes.reserve(kHeaderBytes + message.size());
  const auto length = static_cast<uint32_t>(message.size());
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(length >> shift & 0xFF));
  }
  bytes += message;
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t written = write(fd, bytes.data() + at, bytes.size() - at);
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) at += static_cast<size_t>(written);
  }
  return true;
}

}  // namespace io_selectors
