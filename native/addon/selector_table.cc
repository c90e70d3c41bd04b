#include "addon/selector_table.h"

#include <algorithm>

#include "addon/environment.h"

namespace io_selectors {

SelectorTable::SelectorTable() = default;
SelectorTable::~SelectorTable() = default;

int32_t SelectorTable::Add(std::unique_ptr<OpenSelector> selector) {
  if (free_.empty()) {
    if (rows_.size() > kPlaceMask) return -1;
    free_.push_back(rows_.size());
    rows_.push_back(Row{static_cast<int32_t>(rows_.size()), nullptr});
  }
  Row& row = rows_[free_.front()];
  free_.pop_front();
  row.selector = std::move(selector);
  return row.id;
}

void SelectorTable::Close(int32_t id) {
  if (Find(id) == nullptr) return;
  const size_t place = static_cast<size_t>(id) & kPlaceMask;
  const int32_t generation = ((id >> kPlaceBits) + 1) % kGenerations;
  rows_[place].selector.reset();
  rows_[place].id = generation << kPlaceBits | static_cast<int32_t>(place);
  free_.push_back(place);
}

void SelectorTable::Watches(int32_t id, int fd) {
  const auto index = static_cast<size_t>(fd);
  if (index >= watchers_.size()) {
    watchers_.resize(std::max(index + 1, watchers_.size() * 2), kNone);
  }
  int32_t& watcher = watchers_[index];
  if (watcher == kSeveral || watcher == id) return;
  watcher = watcher != kNone && IsWatching(Find(watcher), fd) ? kSeveral : id;
}

void SelectorTable::Unwatches(int32_t id, int fd) {
  const int32_t watcher = WatcherOf(fd);
  if (watcher == id) watchers_[static_cast<size_t>(fd)] = kNone;
  if (watcher != kSeveral) return;
  // Several once: the walk is over as soon as the last of them has gone.
  bool watched = false;
  ForEachWatching(fd, [&watched](const OpenSelector& /*selector*/) { watched = true; });
  if (!watched) watchers_[static_cast<size_t>(fd)] = kNone;
}

bool SelectorTable::IsWatching(const OpenSelector* selector, int fd) {
  return selector != nullptr && selector->selector->Interest(fd) != 0;
}

}  // namespace io_selectors
