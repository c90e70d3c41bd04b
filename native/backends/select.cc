// select(2): three bit sets are copied to the kernel and back, so a wait costs O(highest
// descriptor). The sets are on the heap: Linux takes them at any size, while the fd_set of POSIX
// ends at FD_SETSIZE.

#include <fcntl.h>
#include <sys/select.h>

#include <algorithm>
#include <climits>

#include "backends/backends.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

// fd_set is an array of longs on every system that has one: a descriptor is bit fd % bits of word
// fd / bits.
using Word = unsigned long;
constexpr int kBitsPerWord = static_cast<int>(sizeof(Word)) * CHAR_BIT;

/** One bit per descriptor, in the layout of fd_set; as long as its largest descriptor requires. */
class BitSet {
 public:
  void Grow(size_t words) {
    if (words_.size() < words) words_.resize(words);
  }
  void Set(int fd, bool on) {
    Word& word = words_[static_cast<size_t>(fd / kBitsPerWord)];
    word = on ? word | BitOf(fd) : word & ~BitOf(fd);
  }
  bool Has(int fd) const {
    return (words_[static_cast<size_t>(fd / kBitsPerWord)] & BitOf(fd)) != 0;
  }
  Word WordAt(size_t index) const { return words_[index]; }
  void CopyFrom(const BitSet& other, size_t words) {
    std::copy_n(other.words_.begin(), words, words_.begin());
  }
  fd_set* get() { return reinterpret_cast<fd_set*>(words_.data()); }

 private:
  static Word BitOf(int fd) { return Word{1} << (fd % kBitsPerWord); }

  std::vector<Word> words_;
};

struct Sets {
  void Grow(size_t words) {
    read.Grow(words);
    write.Grow(words);
    except.Grow(words);
  }
  Word WordAt(size_t index) const {
    return read.WordAt(index) | write.WordAt(index) | except.WordAt(index);
  }
  void CopyFrom(const Sets& other, size_t words) {
    read.CopyFrom(other.read, words);
    write.CopyFrom(other.write, words);
    except.CopyFrom(other.except, words);
  }
  void Assign(int fd, const Registration& registration) {
    const bool reads = (registration.interest & kRead) != 0;
    read.Set(fd, reads);
    write.Set(fd, (registration.interest & kWrite) != 0);
    except.Set(fd, reads && registration.options.priority);
  }

  BitSet read;
  BitSet write;
  BitSet except;
};

#ifdef __APPLE__
constexpr bool kHangupsOfWriters = true;
#else
constexpr bool kHangupsOfWriters = false;
#endif

class SelectSelector final : public Selector {
 public:
  explicit SelectSelector(int fd_set_size)
      : Selector(Capabilities{false, false, false, true, true, fd_set_size - 1, 1000,
                              kHangupsOfWriters}) {}

 private:
  Result<void> Add(int fd, const Registration& registration) override {
    return Change(fd, Registration{}, registration);
  }

  /** A number that is not open may lie beyond the range that the kernel checks: its bit would stay
   * set and be taken for readiness. */
  Result<void> Change(int fd, const Registration& /*before*/, const Registration& after) override {
    if (fcntl(fd, F_GETFD) < 0) return LastError("fcntl");
    highest_ = std::max(highest_, fd);
    watched_.Grow(WordsInUse());
    ready_.Grow(WordsInUse());
    watched_.Assign(fd, after);
    return {};
  }

  void Remove(int fd, const Registration& /*registration*/) override {
    watched_.Assign(fd, Registration{});
    while (highest_ >= 0 && !IsWatched(highest_)) --highest_;
  }

  Result<void> Wait(Batch& batch, int64_t timeout_ns) override {
    const int pending = WaitForEvents(timeout_ns);
    if (pending < 0) {
      if (errno == EBADF && DisarmClosed(batch) > 0) return {};
      return LastError("pselect");
    }
    if (pending > 0) Scan(batch);
    return {};
  }

  bool IsArmed(int fd) const override { return IsWatched(fd); }

  int WaitForEvents(int64_t timeout_ns) {
    ready_.CopyFrom(watched_, WordsInUse());
    const timespec timeout = ToTimespec(timeout_ns < 0 ? 0 : timeout_ns);
    return pselect(highest_ + 1, ready_.read.get(), ready_.write.get(), ready_.except.get(),
                   timeout_ns < 0 ? nullptr : &timeout, nullptr);
  }

  /** Word by word, from the descriptor at which the last scan ran out of room, so that a full ring
   * starves no descriptor. */
  void Scan(Batch& batch) {
    const size_t words = WordsInUse();
    if (next_ > highest_) next_ = 0;
    size_t index = static_cast<size_t>(next_ / kBitsPerWord);
    const Word from_next = ~Word{0} << (next_ % kBitsPerWord);
    // The first word twice: from `next_` on, and at the end what lies before it.
    for (size_t scanned = 0; scanned <= words; ++scanned) {
      Word left = ready_.WordAt(index);
      if (scanned == 0) left &= from_next;
      if (scanned == words) left &= ~from_next;
      for (; left != 0; left &= left - 1) {
        const int fd = static_cast<int>(index) * kBitsPerWord + __builtin_ctzl(left);
        if (batch.full()) {
          next_ = fd;
          return;
        }
        Report(batch, fd);
      }
      if (++index == words) index = 0;
    }
  }

  void Report(Batch& batch, int fd) {
    const int32_t ready = (ready_.read.Has(fd) ? kRead : 0) | (ready_.write.Has(fd) ? kWrite : 0);
    batch.Add(fd, Generation(fd), ready, ready_.except.Has(fd) ? kFlagPriority : 0);
  }

  /** EBADF names no descriptor: check each, report the closed ones once with ERROR, and leave them
   * out until modified. */
  int DisarmClosed(Batch& batch) {
    int disarmed = 0;
    for (int fd = 0; fd <= highest_ && !batch.full(); ++fd) {
      if (!IsWatched(fd) || fcntl(fd, F_GETFD) >= 0) continue;
      batch.Add(fd, Generation(fd), 0, kFlagError);
      watched_.Assign(fd, Registration{});
      ++disarmed;
    }
    return disarmed;
  }

  bool IsWatched(int fd) const { return watched_.read.Has(fd) || watched_.write.Has(fd); }
  size_t WordsInUse() const {
    return static_cast<size_t>((highest_ + kBitsPerWord) / kBitsPerWord);
  }

  Sets watched_;
  Sets ready_;
  int highest_ = -1;
  int next_ = 0;  // the descriptor where the next scan starts
};

}  // namespace

Result<std::unique_ptr<Selector>> MakeSelectSelector(const SelectorOptions& options) {
  const int size = options.fd_set_size > 0 ? options.fd_set_size : FD_SETSIZE;
#ifndef __linux__
  if (size > FD_SETSIZE) return Error{EINVAL, "select"};  // the sets' size is fixed there
#endif
  return std::unique_ptr<Selector>(new SelectSelector(size));
}

}  // namespace io_selectors
