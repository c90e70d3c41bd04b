#include "addon/signal_source.h"

#include <utility>

#include "net/descriptor.h"

namespace io_selectors {

namespace {

/** Errors of libuv are -errno on these platforms. */
Error FromUv(int status, const char* call) { return Error{-status, call}; }

}  // namespace

Result<std::unique_ptr<SignalSource>> SignalSource::Open(const std::vector<int>& signals) {
  std::unique_ptr<SignalSource> source(new SignalSource);
  const Result<void> started = source->Start(signals);
  if (!started.ok()) return started.error();
  return source;
}

Result<void> SignalSource::Start(const std::vector<int>& signals) {
  const int made = uv_loop_init(&loop_);
  if (made < 0) return FromUv(made, "uv_loop_init");
  made_ = true;
  for (const int signal : signals) {
    auto handle = std::make_unique<uv_signal_t>();
    const int initialized = uv_signal_init(&loop_, handle.get());
    if (initialized < 0) return FromUv(initialized, "uv_signal_init");
    handle->data = this;
    handles_.push_back(std::move(handle));
    const auto arrive = [](uv_signal_t* arrived, int number) {
      static_cast<SignalSource*>(arrived->data)->arrived_.push_back(number);
    };
    const int started = uv_signal_start(handles_.back().get(), arrive, signal);
    if (started < 0) return FromUv(started, "sigaction");
  }
  uv_run(&loop_, UV_RUN_NOWAIT);  // watches its own pipe only from its first run on
  return {};
}

SignalSource::~SignalSource() {
  if (!made_) return;
  for (const auto& handle : handles_) uv_close(reinterpret_cast<uv_handle_t*>(handle.get()), {});
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

Result<OwnedFd> SignalSource::Descriptor() const { return Duplicate(uv_backend_fd(&loop_)); }

std::vector<int> SignalSource::Take() {
  uv_run(&loop_, UV_RUN_NOWAIT);
  return std::exchange(arrived_, {});
}

}  // namespace io_selectors
