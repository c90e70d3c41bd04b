#include "load_generator/report.h"

#include <algorithm>

#include "core/timeout.h"
#include "load_generator/json_object.h"

namespace io_selectors {

namespace {

using Field = int64_t TreeSample::*;

int64_t Difference(const TreeSample& begin, const TreeSample& end, Field field) {
  if (begin.*field == kUnknown || end.*field == kUnknown) return kUnknown;
  return end.*field - begin.*field;
}

/**
 * Other processes see the clock of a thread that runs as it was at the last timer interrupt: up to
 * 10 ms ago. So if the only thread never slept, it had all the time in which it did not wait for
 * its CPU.
 */
int64_t CpuNs(const TreeSample& begin, const TreeSample& end, int64_t duration_ns) {
  const int64_t cpu = Difference(begin, end, &TreeSample::cpu_ns);
  const int64_t waited = Difference(begin, end, &TreeSample::run_queue_wait_ns);
  const bool alone = begin.threads == 1 && end.threads == 1 && end.processes == 1;
  const bool slept = Difference(begin, end, &TreeSample::voluntary_switches) != 0;
  if (!alone || slept || waited == kUnknown || cpu <= 0) return cpu;
  return std::max<int64_t>(0, duration_ns - waited);
}

/**
 * The exact CPU time, shared out by the ticks that the kernel says were spent in user mode. A tick
 * is 10 ms, so in a window of 250 ms this is rough; over all windows the roughness cancels out.
 */
int64_t UserCpuNs(const TreeSample& begin, const TreeSample& end, int64_t cpu) {
  const int64_t user = Difference(begin, end, &TreeSample::user_ticks);
  const int64_t system = Difference(begin, end, &TreeSample::system_ticks);
  if (cpu == kUnknown || user == kUnknown || system == kUnknown) return kUnknown;
  if (user < 0 || system < 0 || user + system == 0) return kUnknown;
  // In floating point: the product of hours of sixteen CPUs would not fit.
  return static_cast<int64_t>(static_cast<double>(cpu) * static_cast<double>(user) /
                              static_cast<double>(user + system));
}

int64_t Sum(int64_t one, int64_t other) {
  return one == kUnknown || other == kUnknown ? kUnknown : one + other;
}

void AddServer(const Sample& from, const Sample& to, JsonObject* line) {
  const TreeSample& begin = from.server;
  const TreeSample& end = to.server;
  const int64_t cpu = CpuNs(begin, end, to.at_ns - from.at_ns);
  const int64_t user = UserCpuNs(begin, end, cpu);
  const auto total = [&](Field field) { return Difference(begin, end, field); };
  const int64_t voluntary = total(&TreeSample::voluntary_switches);
  const int64_t involuntary = total(&TreeSample::involuntary_switches);
  (*line)
      .NumberOrNull("serverCpuNs", cpu)
      .NumberOrNull("serverUserCpuNs", user)
      .NumberOrNull("serverSystemCpuNs", user == kUnknown ? kUnknown : cpu - user)
      .NumberOrNull("serverUserTickNs", total(&TreeSample::user_sampled_ns))
      .NumberOrNull("serverSystemTickNs", total(&TreeSample::system_sampled_ns))
      .NumberOrNull("serverContextSwitches", Sum(voluntary, involuntary))
      .NumberOrNull("serverVoluntarySwitches", voluntary)
      .NumberOrNull("serverInvoluntarySwitches", involuntary)
      .NumberOrNull("serverRunQueueWaitNs", total(&TreeSample::run_queue_wait_ns))
      .NumberOrNull("serverTakenNs", total(&TreeSample::taken_ns))
      .NumberOrNull("serverReadyNs", total(&TreeSample::ready_ns))
      .Number("serverProcesses", end.processes)
      .NumberOrNull("serverThreads", end.threads);
}

/** The CPU time of the load generators, without what they spent in waiting for something to do. */
int64_t ClientCpuNs(const TreeSample& begin, const TreeSample& end, const Window& window) {
  const int64_t cpu = Difference(begin, end, &TreeSample::cpu_ns);
  return cpu == kUnknown ? kUnknown : std::max<int64_t>(0, cpu - window.spun_ns);
}

std::string CallsText(const CallCounts& calls) {
  return JsonObject()
      .Number("wait", calls.wait)
      .Number("recv", calls.recv)
      .Number("send", calls.send)
      .End();
}

std::string SlowText(const SlowPeers& slow) {
  return JsonObject()
      .Number("connections", slow.connections)
      .Number("bytesSent", slow.bytes_sent)
      .Number("full", slow.full)
      .Number("closed", slow.closed)
      .End();
}

std::string FairnessText(const FairnessSums& sums) {
  return JsonObject()
      .Fraction("jain", sums.Jain())
      .Number("longestGapNs", sums.longest_gap_ns)
      .Number("connections", sums.connections)
      .End();
}

/** The kinds that occurred: how often, and the first of each. */
std::string FaultsText(const Tally& tally) {
  constexpr const char* kNames[kFaultKinds] = {"wrong",  "short",   "late", "status",
                                               "closed", "doubled", "tls"};
  JsonObject faults;
  for (size_t kind = 0; kind < kFaultKinds; ++kind) {
    if (tally.faults[kind] == 0) continue;
    faults.Raw(kNames[kind], JsonObject()
                                 .Number("count", tally.faults[kind])
                                 .TextOrNull("first", tally.fault_details[kind])
                                 .End());
  }
  return faults.End();
}

}  // namespace

std::string ConnectedLine(int64_t connections, int64_t elapsed_ns, int64_t processes) {
  const double seconds = static_cast<double>(elapsed_ns) / 1e9;
  const double rate = seconds > 0 ? static_cast<double>(connections) / seconds : 0;
  return JsonObject()
      .Text("event", "connected")
      .Number("connections", connections)
      .Raw("elapsedMs", Format("%.1f", seconds * 1e3))
      .Raw("connectsPerSecond", Format("%.0f", rate))
      .Number("processes", processes)
      .End();
}

std::string FilledLine(const SlowPeers& slow, int64_t elapsed_ns) {
  return JsonObject()
      .Text("event", "filled")
      .Number("connections", slow.connections)
      .Number("bytesSent", slow.bytes_sent)
      .Number("ms", elapsed_ns / kNsPerMs)
      .End();
}

std::string WarmupLine(const WarmupReport& warmup) {
  const char* steady = warmup.steady ? "true" : "false";
  return JsonObject()
      .Text("event", "warmup")
      .Number("ms", warmup.ns / kNsPerMs)
      .Raw("steady", warmup.watched ? steady : "null")
      .End();
}

namespace {

JsonObject WindowFields(size_t index, const Window& window, const Sample& begin,
                        const Sample& end) {
  JsonObject line;
  line.Text("event", "window")
      .Number("index", static_cast<int64_t>(index))
      .Number("startedNs", begin.at_ns)
      .Number("durationNs", end.at_ns - begin.at_ns)
      .Number("intendedMessages", window.intended)
      .Number("sentMessages", window.sent)
      .Number("completedMessages", window.completed)
      .Number("hotCompletedMessages", window.hot_completed)
      .Number("errors", window.errors);
  AddServer(begin, end, &line);
  const TreeSample& from = begin.client;
  const TreeSample& to = end.client;
  const bool has_steal = begin.steal_ns != kUnknown && end.steal_ns != kUnknown;
  const int64_t client_cpu_ns = ClientCpuNs(from, to, window);
  line.NumberOrNull("clientCpuNs", client_cpu_ns)
      // The same here: of several generators the one is that of the fullest, this one of all.
      .NumberOrNull("clientsCpuNs", client_cpu_ns)
      .Number("clientSpunNs", window.spun_ns)
      .NumberOrNull("clientRunQueueWaitNs", Difference(from, to, &TreeSample::run_queue_wait_ns))
      .NumberOrNull("clientTakenNs", Difference(from, to, &TreeSample::taken_ns))
      .Number("clientProcesses", to.processes)
      .Number("sendLagNsP99", window.send_lag.Quantile(0.99))
      .NumberOrNull("stealNs", has_steal ? end.steal_ns - begin.steal_ns : kUnknown)
      .Text("latency", window.latency.EncodeBase64())
      .Text("latencyUncorrected", window.latency_uncorrected.EncodeBase64())
      .Text("senderDelay", window.sender_delay.EncodeBase64())
      .Number("inFlightNs", window.in_flight_ns);
  return line;
}

}  // namespace

std::string WindowLine(size_t index, const Window& window, const Sample& begin, const Sample& end) {
  return WindowFields(index, window, begin, end).End();
}

std::string HeldWindowLine(const HeldWindow& held, const Window& window) {
  // In a closed loop a message is due when it is sent.
  const int64_t due = held.rate > 0 ? std::max(window.intended, window.sent) : window.sent;
  return WindowFields(held.index, window, held.begin, held.end)
      .NumberOrNull("rate", held.rate > 0 ? held.rate : kUnknown)
      .NumberOrNull("inFlightWanted", held.rate > 0 ? kUnknown : held.in_flight)
      .Number("settleNs", held.settle_ns)
      .Number("answeredMessages", window.answered)
      .Number("unansweredMessages", std::max<int64_t>(0, due - window.answered))
      .Number("mismatches", held.mismatches)
      .Number("connectionsLost", held.connections_lost)
      .Number("allocations", held.allocations)
      .End();
}

std::string RefusedLine(const std::string& command, const std::string& reason) {
  return JsonObject()
      .Text("event", "refused")
      .Text("command", command)
      .Text("reason", reason)
      .End();
}

std::string LateLine(const std::string& command, const std::string& reason, int64_t late_ns,
                     int64_t waited_ns) {
  return JsonObject()
      .Text("event", "refused")
      .Text("command", command)
      .Text("reason", reason)
      .Number("lateNs", late_ns)
      .NumberOrNull("waitedNs", waited_ns)
      .End();
}

std::string MemoryLine(int64_t connections, const MemorySample& sample) {
  return JsonObject()
      .Text("event", "memory")
      .Number("connections", connections)
      .NumberOrNull("serverPssBytes", sample.server_pss)
      .NumberOrNull("serverPrivateBytes", sample.server_private)
      .NumberOrNull("clientPssBytes", sample.client_pss)
      .NumberOrNull("kernelBytes", sample.Kernel())
      .NumberOrNull("kernelSlabBytes", sample.kernel_slab)
      .NumberOrNull("kernelStackBytes", sample.kernel_stack)
      .NumberOrNull("pageTableBytes", sample.page_table)
      .NumberOrNull("socketBytes", sample.socket)
      .NumberOrNull("availableBytes", sample.available)
      .Number("serverProcesses", sample.server_processes)
      .NumberOrNull("serverThreads", sample.server_threads)
      .End();
}

std::string ResultLine(const RunResult& result, const RunOptions& options, const char* event) {
  const Tally& tally = result.tally;
  const bool churn = options.mode == LoadMode::kChurn;
  const bool compared = options.EchoLoad() && tally.fairness.connections > 0;
  const char* steady = result.warmup.steady ? "true" : "false";
  return JsonObject()
      .Text("event", event)
      .Text("protocol", NameOf(options.protocol.name))
      .Number("messages", result.messages)
      .Number("totalMessages", tally.completed)
      .Number("mismatches", tally.mismatches)
      .Number("missing", tally.missing)
      .TextOrNull("mismatchDetail", tally.mismatch_detail)
      .Number("connectionsLost", tally.connections_lost)
      .Number("connectionsReopened", tally.reopened)
      .Raw("faults", FaultsText(tally))
      .Raw("slow", options.slow > 0 ? SlowText(tally.slow) : "null")
      .Raw("fairness", compared ? FairnessText(tally.fairness) : "null")
      .Raw("steady", result.warmup.watched ? steady : "null")
      .Raw("cycles", churn ? std::to_string(tally.cycles) : "null")
      .TextOrNull("error", tally.error)
      .Raw("clientCalls", CallsText(tally.calls))
      .Number("clientAllocations", tally.allocations)
      .End();
}

}  // namespace io_selectors
