// OpenEngine: an Engine for TypeScript, which a HostedRun serves on Node's own thread while it has
// connections or listeners.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "addon/hosted_source.h"
#include "addon/waker.h"
#include "proactor/engine.h"

namespace io_selectors {

/** Bytes that TypeScript sees as an ArrayBuffer, which may outlive the engine. */
using Inbound = std::shared_ptr<uint8_t[]>;

class OpenEngine final : public HostedSource {
 public:
  OpenEngine(std::unique_ptr<Engine> opened, Inbound bytes, RingHead* head)
      : inbound(std::move(bytes)),
        engine(std::move(opened)),
        head_(head),
        is_nestable_(engine->fileno() >= 0) {
    wish = &head->wish;
    plain_turns = true;
    keeps_alive = false;  // until something is open
  }
  ~OpenEngine() override { Detach(); }

  /** Watches what ends its waits. */
  Result<void> Open(uv_loop_t* loop);

  int fileno() const override { return engine->fileno(); }
  int32_t renewals() const override { return engine->renewals(); }
  std::vector<pollfd> Watched() const override { return engine->Watched(); }
  bool ReportsHangupsOfWriters() const override { return engine->ReportsHangupsOfWriters(); }
  [[gnu::hot]] Result<int> Wait(int64_t timeout_ns) override;
  /** After each call that may have changed what the engine watches. */
  void TellWatch();
  bool Woken() const override { return engine->Woken(); }
  bool HasWork() const override { return head_->submissions > 0 || engine->HasWork(); }
  int64_t UntilDueNs() override { return engine->UntilDueNs(); }
  void PrepareToBeWatched() override {
    engine->Flush();
    engine->PrepareToBeWatched();
    TellWatch();
  }

  /** Longer than the engine, whose ring may receive into it until it is closed. */
  const Inbound inbound;
  const std::unique_ptr<Engine> engine;
  /** What keeps the program's rings in place. */
  std::vector<napi_ref> pins;

 private:
  RingHead* head_;
  const bool is_nestable_;
  std::shared_ptr<Waker> waker_;
};

}  // namespace io_selectors
