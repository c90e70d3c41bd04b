// ConnectionTable: the state of every connection, allocated before the first one is opened.
// A connection with one message under way is one cache line, since ten thousand of them are visited
// in random order and each visit is a cache miss or several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "load_generator/roles.h"

namespace io_selectors {

enum class ConnectionState : uint8_t {
  kAbsent,
  kConnecting,
  kGreeting,  // connected; the first message has not come back yet, so the server may not know it
  kOpen,
  kLost,   // the peer closed or reset it
  kWrong,  // it answered what cannot be understood; nothing more is sent on it or believed of it
};

/** `intended_ns` of a message that is due whenever it can be sent: closed loop. */
constexpr int64_t kWhenSent = -1;

/** A message that was posted and has not come back. CLOCK_MONOTONIC, ns. */
struct Posted {
  int64_t intended_ns;
  int64_t sent_ns;  // set when its first byte is sent
};

/** Messages are queued, sent and received in order; their numbers follow from `next_expected`. */
struct alignas(64) Connection {
  Posted first_slot{0, 0};     // of the ring; the only one while one message is under way
  uint64_t next_expected = 0;  // the number of the oldest message that has not come back
  int64_t last_completed_ns = 0;
  int fd = -1;
  uint32_t head = 0;      // that message's slot in the ring
  uint32_t sent = 0;      // messages sent as a whole, from there on
  uint32_t queued = 0;    // messages after those, not sent yet
  uint32_t sent_of = 0;   // bytes sent of the first queued one
  uint32_t received = 0;  // bytes received of the oldest one
  ConnectionState state = ConnectionState::kAbsent;
  bool blocked = false;  // the socket is full: write interest is registered
  Role role = Role::kSilent;
  bool refills = false;   // what comes back is sent again at once: a closed loop of its own
  bool hushed = false;    // the server has still to speak first: nothing is sent
  uint8_t fruitless = 0;  // times that it was opened again since its last answer
  uint8_t idle_ends = 0;  // of these, those without a request under way
  bool closing = false;   // opened again as soon as everything that was sent is answered

  bool Alive() const {
    return state == ConnectionState::kOpen || state == ConnectionState::kGreeting;
  }
  /** Messages of which the server may have seen something. */
  uint32_t Begun() const { return sent + (sent_of > 0 ? 1 : 0); }
  /** Whether its messages are timed: the others need no slot of the ring. */
  bool Timed() const { return role == Role::kMeasured || role == Role::kSilent; }
};

class ConnectionTable {
 public:
  /** @param ring_slots messages that one connection can hold: a power of two */
  ConnectionTable(uint32_t connections, uint32_t ring_slots)
      : connections_(connections),
        more_slots_(static_cast<Posted*>(
            std::calloc(size_t{connections} * (ring_slots - 1) + 1, sizeof(Posted)))),
        ring_slots_(more_slots_ != nullptr ? ring_slots : 1) {}

  uint32_t size() const { return static_cast<uint32_t>(connections_.size()); }
  Connection& operator[](uint32_t id) { return connections_[id]; }
  const Connection& operator[](uint32_t id) const { return connections_[id]; }

  /** The `index`-th message that has not come back. */
  Posted& Slot(uint32_t id, uint32_t index) {
    Connection& connection = connections_[id];
    const uint32_t at = (connection.head + index) & (ring_slots_ - 1);
    return at == 0 ? connection.first_slot : more_slots_[size_t{id} * (ring_slots_ - 1) + at - 1];
  }

  bool Full(const Connection& connection) const {
    return connection.Timed() && connection.sent + connection.queued == ring_slots_;
  }

  /** Forgets the oldest message. An empty ring starts over at its first slot, see above. */
  void PopOldest(Connection* connection) const {
    --connection->sent;
    ++connection->next_expected;
    connection->received = 0;
    const bool empty = connection->sent + connection->queued == 0;
    connection->head = empty ? 0 : (connection->head + 1) & (ring_slots_ - 1);
  }

  /** Tells which connection a descriptor is. */
  void Bind(int fd, uint32_t id) {
    const size_t index = static_cast<size_t>(fd);
    if (index >= by_fd_.size()) by_fd_.resize(index + 1 + connections_.size());
    by_fd_[index] = id;
  }
  bool IsBound(int fd) const { return static_cast<size_t>(fd) < by_fd_.size(); }
  uint32_t IdOf(int fd) const { return by_fd_[static_cast<size_t>(fd)]; }

 private:
  struct Free {
    void operator()(Posted* slots) const { std::free(slots); }
  };

  std::vector<Connection> connections_;
  // Zero pages until a message finds another one under way: most connections never touch theirs.
  std::unique_ptr<Posted[], Free> more_slots_;
  std::vector<uint32_t> by_fd_;
  uint32_t ring_slots_;
};

static_assert(sizeof(Connection) == 64, "one cache line");

}  // namespace io_selectors
