#include "load_generator/solo.h"

#include <unistd.h>

#include "core/shared_array.h"
#include "load_generator/announcer.h"
#include "load_generator/instant.h"
#include "load_generator/part.h"
#include "load_generator/team.h"

namespace io_selectors {

namespace {

class SoloDirection final : public Direction {
 public:
  SoloDirection(Announcer& announcer, Conductor& conductor, bool waits_for_begin)
      : announcer_(announcer), conductor_(conductor), waits_for_begin_(waits_for_begin) {}

  bool NextGoal(uint32_t* connections) override {
    if (stage_ == announcer_.stages()) return false;
    *connections = static_cast<uint32_t>(announcer_.Goal(stage_));
    return true;
  }
  void Reached() override { announcer_.Reached(stage_++); }
  void Ready() override {
    // Without an instant there is nothing to measure, and the kernel closes every socket.
    if (waits_for_begin_ && AwaitBegin() == 0) _exit(kNoBegin);
  }
  Timeline& timeline() override { return conductor_; }

 private:
  Announcer& announcer_;
  Conductor& conductor_;
  bool waits_for_begin_;
  size_t stage_ = 0;
};

}  // namespace

RunResult RunSolo(const RunOptions& options) {
  RunResult result;
  SharedArray<Window> windows(static_cast<size_t>(options.windows) + 1);
  if (windows.size() == 0) {
    result.tally.SetError("mmap: no memory for the windows");
    return result;
  }
  const bool waits_for_begin = options.begin_on_command == 1;
  Conductor conductor(options, waits_for_begin ? kLeadNs : 0);
  Announcer announcer(options, conductor, 1);
  SoloDirection direction(announcer, conductor, waits_for_begin);
  RunPart(options, ShareOfPart(options, 0, 1), direction, windows.data(), &result.tally);
  announcer.Windows(windows.data(), &result);
  return result;
}

}  // namespace io_selectors
