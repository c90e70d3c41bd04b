// How the engine over io_uring sends: what a turn has written goes over with its wait and completes
// as it is submitted; what a peer does not take is queued, and sent when the peer takes more.
#pragma once

#include "core/io_uring.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <deque>
#include <memory>
#include <vector>

#include "proactor/engine.h"
#include "proactor/io_uring_operations.h"

namespace io_selectors {

class IoUringSender : public Engine {
 protected:
  IoUringSender(const Rings& rings, std::unique_ptr<IoUring> ring, bool skips_success)
      : Engine(rings), ring_(std::move(ring)), submit_(*ring_, skips_success) {}

  /** Closes a slot that is leaving once the kernel holds nothing of it any more. */
  virtual void CloseIfDone(int32_t slot) = 0;

  Operations::Owner OwnerOf(int32_t slot) { return {slot, At(slot).life}; }
  /** Whether the completion belongs to the life that the slot has now. */
  bool IsCurrent(const Completion& completion) {
    return At(DescriptorOf(completion)).life == MarkOf(completion);
  }

  void Send(int32_t slot, const iovec* parts, int count, size_t length) override;
  void EndsLater() override { ends_ = true; }
  void DropQueue(Slot& slot) override {
    if (!slot.Has(kSending)) slot.queue.reset();  // else the kernel reads it
  }

  /** Sends what is queued; of a slot that is leaving, takes back what is under way. */
  void SettleSending(int32_t slot);

  /**
   * Submits everything, and waits. If the kernel lacks memory for it, it is tried again for a
   * second: what is submitted names bytes that the program may change afterwards. Then the engine
   * has failed, and submits nothing any more.
   */
  Result<void> Submit(uint32_t least, int64_t timeout_ns);

  /** After all sends of a flush have entered the kernel, which completes each at once. */
  void FinishSends();
  void OnSentAtOnce(const Completion& completion);
  void OnSentQueued(const Completion& completion);

  /** Whether a send that has not entered the kernel is the last one of its connection. */
  bool ends() const { return ends_; }

  const std::unique_ptr<IoUring> ring_;
  Operations submit_;

 private:
  /** A send that completes as it is submitted. */
  struct AtOnce {
    int32_t slot;
    int count;
    size_t length;
    iovec part;        // the first one
    Message* message;  // all of them, if there are several
  };

  /** What the peer had sent is received before the slot leaves. */
  void RefuseSend(int32_t slot, int error);
  void PutBefore(const AtOnce& send, size_t sent);
  void SendQueued(int32_t slot);

  std::vector<AtOnce> sends_;      // of the flush that has not entered the kernel
  std::vector<AtOnce> finishing_;  // empty, and keeps its capacity
  std::deque<Message> messages_;
  bool ends_ = false;
  Result<void> refused_;  // why the engine has failed
};

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
