#include "load_generator/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "core/timeout.h"

namespace io_selectors {

ProcFile::ProcFile(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC)) {}

bool ProcFile::Read(ProcText* text) const {
  if (!fd_.valid()) return false;
  const ssize_t length = pread(fd_.get(), text->data(), text->size() - 1, 0);
  if (length <= 0) return false;
  (*text)[static_cast<size_t>(length)] = '\0';
  return true;
}

int64_t FieldAfter(const char* start, int index) {
  const char* at = start;
  for (int i = 0;; ++i) {
    at += std::strspn(at, " \t");
    if (*at == '\0' || *at == '\n') return kUnknown;
    if (i == index) return std::strtoll(at, nullptr, 10);
    at += std::strcspn(at, " \t\n");
  }
}

int64_t NumberAfter(const ProcText& text, const char* label) {
  const char* found = std::strstr(text.data(), label);
  return found == nullptr ? kUnknown : FieldAfter(found + std::strlen(label), 0);
}

int64_t TicksToNs(int64_t ticks) {
  static const int64_t ns_per_tick = kNsPerSecond / sysconf(_SC_CLK_TCK);
  return ticks * ns_per_tick;
}

}  // namespace io_selectors
