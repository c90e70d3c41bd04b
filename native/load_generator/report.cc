#include "load_generator/report.h"

#include <algorithm>

#include "load_generator/text.h"

namespace io_selectors {

namespace {

/** One JSON object, written field by field. Our texts need no escapes. */
class JsonObject {
 public:
  JsonObject& Raw(const char* name, const std::string& json) {
    text_ += Format("%c\"%s\":", text_.empty() ? '{' : ',', name) + json;
    return *this;
  }
  JsonObject& Text(const char* name, const std::string& text) {
    return Raw(name, "\"" + text + "\"");
  }
  JsonObject& TextOrNull(const char* name, const std::string& text) {
    return text.empty() ? Raw(name, "null") : Text(name, text);
  }
  JsonObject& Number(const char* name, int64_t value) { return Raw(name, std::to_string(value)); }
  JsonObject& NumberOrNull(const char* name, int64_t value) {
    return value == kUnknown ? Raw(name, "null") : Number(name, value);
  }
  std::string End() const { return text_ + "}"; }

 private:
  std::string text_;
};

using Field = int64_t Sample::*;

int64_t Difference(const Sample& begin, const Sample& end, Field field) {
  if (begin.*field == kUnknown || end.*field == kUnknown) return kUnknown;
  return end.*field - begin.*field;
}

/**
 * The exact CPU time, shared out by the ticks that the kernel says were spent in user mode. A tick
 * is 10 ms, so in a window of 250 ms this is rough; over all windows the roughness cancels out.
 */
int64_t UserCpuNs(const Sample& begin, const Sample& end) {
  const int64_t cpu = Difference(begin, end, &Sample::server_cpu_ns);
  const int64_t user = Difference(begin, end, &Sample::server_user_ticks);
  const int64_t system = Difference(begin, end, &Sample::server_system_ticks);
  if (cpu == kUnknown || user == kUnknown || system == kUnknown) return kUnknown;
  if (user < 0 || system < 0 || user + system == 0) return kUnknown;
  return cpu * user / (user + system);
}

}  // namespace

std::string ConnectedLine(int64_t connections, int64_t elapsed_ns) {
  return JsonObject()
      .Text("event", "connected")
      .Number("connections", connections)
      .Raw("elapsedMs", Format("%.1f", static_cast<double>(elapsed_ns) / 1e6))
      .End();
}

std::string WindowLine(size_t index, const Measurement& measurement) {
  const Window& window = measurement.windows[index];
  const Sample& begin = measurement.samples[index];
  const Sample& end = measurement.samples[index + 1];
  const int64_t cpu = Difference(begin, end, &Sample::server_cpu_ns);
  const int64_t user = UserCpuNs(begin, end);
  const auto total = [&](Field field) { return Difference(begin, end, field); };
  return JsonObject()
      .Text("event", "window")
      .Number("index", static_cast<int64_t>(index))
      .Number("durationNs", end.at_ns - begin.at_ns)
      .Number("intendedMessages", window.intended)
      .Number("sentMessages", window.sent)
      .Number("completedMessages", window.completed)
      .NumberOrNull("serverCpuNs", cpu)
      .NumberOrNull("serverUserCpuNs", user)
      .NumberOrNull("serverSystemCpuNs", user == kUnknown ? kUnknown : cpu - user)
      .NumberOrNull("serverContextSwitches", total(&Sample::server_context_switches))
      .NumberOrNull("serverRunQueueWaitNs", total(&Sample::server_run_queue_wait_ns))
      .NumberOrNull("clientCpuNs", total(&Sample::client_cpu_ns))
      .NumberOrNull("clientRunQueueWaitNs", total(&Sample::client_run_queue_wait_ns))
      .Number("sendLagNsP99", window.send_lag.Quantile(0.99))
      .NumberOrNull("stealNs", total(&Sample::steal_ns))
      .Text("latency", window.latency.EncodeBase64())
      .Text("latencyUncorrected", window.latency_uncorrected.EncodeBase64())
      .End();
}

std::string ResultLine(const RunResult& result) {
  return JsonObject()
      .Text("event", "result")
      .Number("messages", result.messages)
      .Number("totalMessages", result.totals.completed)
      .Number("mismatches", result.totals.mismatches)
      .Number("missing", result.totals.missing)
      .TextOrNull("mismatchDetail", result.mismatch_detail)
      .Number("connectionsLost", result.totals.connections_lost)
      .TextOrNull("error", result.error)
      .Raw("clientCalls", JsonObject()
                              .Number("wait", result.calls.wait)
                              .Number("recv", result.calls.recv)
                              .Number("send", result.calls.send)
                              .End())
      .End();
}

}  // namespace io_selectors
