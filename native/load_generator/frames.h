// Frames: messages on a byte stream, each as its length (four bytes, big-endian) and its text. The
// agent and its coordinator use them, because the length reveals a message that was cut off.
#pragma once

#include <cstddef>
#include <string>

namespace io_selectors {

/** The largest message that either side accepts: a longer one means that the stream is not ours. */
constexpr size_t kLongestFrame = 16u << 20;

/** Collects what arrives and gives out whole messages. */
class FrameReader {
 public:
  /** Reads once from the descriptor. @returns false at the end of the input or on an error. */
  bool ReadFrom(int fd);

  /** @returns whether there was a whole message, which is then in `*message`. */
  bool Next(std::string* message);

  /** A length that no sender of ours writes. Nothing after it can be understood. */
  bool broken() const { return broken_; }

 private:
  std::string bytes_;
  bool broken_ = false;
};

/** Writes all of it, blocking. @returns false if the reader is gone. */
bool WriteFrame(int fd, const std::string& message);

}  // namespace io_selectors
