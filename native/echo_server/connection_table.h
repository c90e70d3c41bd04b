// The open connections of a server that waits for many of them, by descriptor.
#pragma once

#include <vector>

#include "core/memory.h"
#include "echo_server/connection.h"

namespace io_selectors {

/** `Entry` derives from Connection, or is it. */
template <typename Entry>
class ConnectionTable {
 public:
  explicit ConnectionTable(Counters& counters) : counters_(counters) {}

  /** @returns null, with the descriptor closed, if there is no memory for it. */
  Entry* Add(int fd) {
    OwnedFd owned(fd);
    const size_t index = static_cast<size_t>(fd);
    if (!GrowTo(entries_, index)) {
      counters_.CountClosed();
      return nullptr;
    }
    entries_[index].fd = std::move(owned);
    return &entries_[index];
  }

  Entry& operator[](int fd) { return entries_[static_cast<size_t>(fd)]; }

  void Close(Entry& entry) {
    entry = Entry();
    counters_.CountClosed();
  }

  void CloseAll() {
    for (Entry& entry : entries_) {
      if (entry.fd.valid()) Close(entry);
    }
  }

 private:
  Counters& counters_;
  std::vector<Entry> entries_;
};

}  // namespace io_selectors
