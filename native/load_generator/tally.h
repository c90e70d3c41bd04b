// Tally: what one process of a run has counted from its start to its end, in plain memory, so that
// a worker can hand it to its parent.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "load_generator/protocol.h"

namespace io_selectors {

struct CallCounts {
  int64_t wait = 0;
  int64_t recv = 0;
  int64_t send = 0;
};

/** Connections that are written to and never read. */
struct SlowPeers {
  int64_t connections = 0;
  int64_t bytes_sent = 0;
  int64_t full = 0;    // nothing more fits into them
  int64_t closed = 0;  // the server let them go
};

/** What Jain's index is made of: x is a connection's completed messages in the measured windows. */
struct FairnessSums {
  int64_t connections = 0;
  double sum = 0;
  double sum_of_squares = 0;
  int64_t longest_gap_ns = 0;  // between two completions on one connection

  /** (sum x)^2 / (n * sum x^2): 1 if all have the same, 1/n if one has all. Jain, Chiu, Hawe
   * 1984. */
  double Jain() const {
    const double all = static_cast<double>(connections) * sum_of_squares;
    return all > 0 ? sum * sum / all : 1;
  }
};

/** Answers of one connection that are wrong in one way. */
struct Faulty {
  Fault fault;
  int64_t answers = 1;
  std::string_view quoted = {};  // the beginning of what came, from the first wrong byte on
};

inline std::string_view Quoted(const unsigned char* data, size_t length) {
  constexpr size_t kMost = 80;
  return {reinterpret_cast<const char*>(data), std::min(length, kMost)};
}

struct Tally {
  int64_t completed = 0;
  int64_t mismatches = 0;  // answers that were wrong, by any kind of fault
  int64_t missing = 0;     // messages that were sent, or due, and never came back
  int64_t connections_lost = 0;
  int64_t reopened = 0;     // connections that were closed and opened again, as is usual
  int64_t cycles = 0;       // of churn
  int64_t allocations = 0;  // within the measured windows
  CallCounts calls;
  SlowPeers slow;
  FairnessSums fairness;
  int64_t faults[kFaultKinds] = {};
  char fault_details[kFaultKinds][256] = {};  // of the first one of each kind; empty: none
  char mismatch_detail[256] = {};             // of the first one of all; empty: none
  char error[320] = {};                       // empty: it ran to its end

  void SetError(const std::string& text) { Set(error, sizeof(error), text); }

  /** Whether something came that is wrong; what never came is counted as missing or lost. */
  static bool IsMismatch(Fault fault) {
    return fault != Fault::kLate && fault != Fault::kClosed && fault != Fault::kTls;
  }

  /** Counts faulty answers. @returns whether they are the first of their kind, to be described. */
  bool CountFault(Fault fault, int64_t count = 1) {
    int64_t& counted = faults[static_cast<size_t>(fault)];
    if (IsMismatch(fault)) mismatches += count;
    counted += count;
    return counted == count;
  }
  void SetFaultDetail(Fault fault, const std::string& text) {
    const size_t kind = static_cast<size_t>(fault);
    Set(fault_details[kind], sizeof(fault_details[kind]), text);
    if (IsMismatch(fault) && mismatch_detail[0] == '\0') {
      Set(mismatch_detail, sizeof(mismatch_detail), text);
    }
  }

  void Add(const Tally& other) {
    completed += other.completed;
    mismatches += other.mismatches;
    missing += other.missing;
    connections_lost += other.connections_lost;
    reopened += other.reopened;
    cycles += other.cycles;
    allocations += other.allocations;
    calls.wait += other.calls.wait;
    calls.recv += other.calls.recv;
    calls.send += other.calls.send;
    slow.connections += other.slow.connections;
    slow.bytes_sent += other.slow.bytes_sent;
    slow.full += other.slow.full;
    slow.closed += other.slow.closed;
    fairness.connections += other.fairness.connections;
    fairness.sum += other.fairness.sum;
    fairness.sum_of_squares += other.fairness.sum_of_squares;
    fairness.longest_gap_ns = std::max(fairness.longest_gap_ns, other.fairness.longest_gap_ns);
    for (size_t kind = 0; kind < kFaultKinds; ++kind) {
      faults[kind] += other.faults[kind];
      if (fault_details[kind][0] != '\0') continue;
      Set(fault_details[kind], sizeof(fault_details[kind]), other.fault_details[kind]);
    }
    if (mismatch_detail[0] == '\0') {
      Set(mismatch_detail, sizeof(mismatch_detail), other.mismatch_detail);
    }
    if (error[0] == '\0') SetError(other.error);
  }

 private:
  static void Set(char* field, size_t size, const std::string& text) {
    std::snprintf(field, size, "%s", text.c_str());
  }
};

}  // namespace io_selectors
