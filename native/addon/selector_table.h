// SelectorTable: the open selectors of one environment by id, and by the descriptors that they
// watch, so that close(fd) finds its selector without walking all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace io_selectors {

struct OpenSelector;

/**
 * An id is a place and the generation of its use: a place is used again, an id is not (until the
 * place has been used 2,048 times more).
 */
class SelectorTable {
 public:
  SelectorTable();
  ~SelectorTable();
  SelectorTable(const SelectorTable&) = delete;
  SelectorTable& operator=(const SelectorTable&) = delete;

  /** @returns its id, or -1 if a million selectors are open. */
  int32_t Add(std::unique_ptr<OpenSelector> selector);

  /** @returns nullptr if there is none, or if it was closed. */
  OpenSelector* Find(int32_t id) const {
    const size_t place = static_cast<size_t>(id) & kPlaceMask;
    return id >= 0 && place < rows_.size() && rows_[place].id == id ? rows_[place].selector.get()
                                                                    : nullptr;
  }

  void Close(int32_t id);

  /** The selector of that id has begun, or ended, to watch `fd`. */
  void Watches(int32_t id, int fd);
  void Unwatches(int32_t id, int fd);

  /** Calls `visit(selector)` for each. */
  template <typename Visitor>
  void ForEach(Visitor visit) const {
    for (const Row& row : rows_) {
      if (row.selector != nullptr) visit(*row.selector);
    }
  }

  /** Calls `visit(selector)` for each selector that has `fd` registered. */
  template <typename Visitor>
  void ForEachWatching(int fd, Visitor visit) const {
    const int32_t watcher = WatcherOf(fd);
    if (watcher == kSeveral) {
      for (const Row& row : rows_) VisitWatching(row.selector.get(), fd, visit);
    } else if (watcher != kNone) {
      VisitWatching(Find(watcher), fd, visit);
    }
  }

 private:
  static constexpr int kPlaceBits = 20;
  static constexpr size_t kPlaceMask = (size_t{1} << kPlaceBits) - 1;
  static constexpr int32_t kGenerations = 1 << (31 - kPlaceBits);
  /** In place of a watcher's id. */
  static constexpr int32_t kNone = -1;
  static constexpr int32_t kSeveral = -2;

  struct Row {
    int32_t id = 0;
    std::unique_ptr<OpenSelector> selector;  // nullptr: free
  };

  static bool IsWatching(const OpenSelector* selector, int fd);

  template <typename Visitor>
  static void VisitWatching(OpenSelector* selector, int fd, Visitor& visit) {
    if (IsWatching(selector, fd)) visit(*selector);
  }

  int32_t WatcherOf(int fd) const {
    const auto index = static_cast<size_t>(fd);
    return fd >= 0 && index < watchers_.size() ? watchers_[index] : kNone;
  }

  std::vector<Row> rows_;
  std::deque<size_t> free_;        // places, the one that was freed first in front
  std::vector<int32_t> watchers_;  // by descriptor: an id, kNone or kSeveral
};

}  // namespace io_selectors
