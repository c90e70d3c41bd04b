#include "addon/open_engine.h"

#include "addon/hosted_run.h"
#include "addon/watch.h"

namespace io_selectors {

Result<void> OpenEngine::Open(uv_loop_t* loop) {
  Result<std::shared_ptr<Waker>> waker = Waker::Open();
  if (!waker.ok()) return waker.error();
  Result<WakeSet> set = WakeSet::Make(loop, waker.value()->fd());
  if (!set.ok()) return set.error();
  waker_ = std::move(waker.value());
  wake_set = std::move(set.value());
  return engine->SetWakeFd(wake_set.fd());
}

Result<int> OpenEngine::Wait(int64_t timeout_ns) {
  Result<int> count = engine->Turn(timeout_ns);
  TellWatch();
  return count;
}

void OpenEngine::TellWatch() {
  // A thread that polls for a backend without a descriptor has copied what was registered. Other
  // watches see it at the end of a pass, and are told of what changes outside of one.
  const bool misses = !is_nestable_ || run == nullptr || !run->passing();
  if (misses && engine->TakeChanged() && watch != nullptr) watch->Changed();
}

}  // namespace io_selectors
