#include "load_generator/solo.h"

#include "load_generator/announcer.h"
#include "load_generator/part.h"
#include "load_generator/shared_array.h"

namespace io_selectors {

namespace {

class SoloDirection final : public Direction {
 public:
  SoloDirection(Announcer& announcer, Conductor& conductor)
      : announcer_(announcer), conductor_(conductor) {}

  bool NextGoal(uint32_t* connections) override {
    if (stage_ == announcer_.stages()) return false;
    *connections = static_cast<uint32_t>(announcer_.Goal(stage_));
    return true;
  }
  void Reached() override { announcer_.Reached(stage_++); }
  void Ready() override {}
  Timeline& timeline() override { return conductor_; }

 private:
  Announcer& announcer_;
  Conductor& conductor_;
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
  Conductor conductor(options, 0);
  Announcer announcer(options, conductor, 1);
  SoloDirection direction(announcer, conductor);
  RunPart(options, ShareOf(options, 0, 1), direction, windows.data(), &result.tally);
  announcer.Windows(windows.data(), &result);
  return result;
}

}  // namespace io_selectors
