// The open connections of a server that waits for many, by descriptor. Enters: accepted
// descriptors. Leaves: the connection behind a ready one.
#pragma once

#include "echo_server/connection.h"
#include "echo_server/growable_array.h"

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
    if (entries_.size() <= index && !entries_.Resize((index + 1) * 2)) {
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
  GrowableArray<Entry> entries_;
};

}  // namespace io_selectors
