#include "load_generator/memory_sample.h"

#include <unistd.h>

#include <string>

namespace io_selectors {

namespace {

constexpr int64_t kBytesOfKb = 1024;

struct ProcessBytes {
  int64_t pss = kUnknown;
  int64_t private_bytes = kUnknown;
};

int64_t KbAfter(const std::string& text, const char* label) {
  const int64_t kb = NumberAfter(text.c_str(), label);
  return kb == kUnknown ? kUnknown : kb * kBytesOfKb;
}

/** Sums what can be read; a process that ended meanwhile takes nothing any more. */
ProcessBytes BytesOf(const std::vector<pid_t>& pids) {
  ProcessBytes sum;
  for (const pid_t pid : pids) {
    const std::string text = ProcFile::OfProcess(pid, "smaps_rollup").ReadAll();
    const int64_t pss = KbAfter(text, "\nPss:");
    if (pss == kUnknown) continue;
    if (sum.pss == kUnknown) sum = ProcessBytes{0, 0};
    sum.pss += pss;
    sum.private_bytes += KbAfter(text, "\nPrivate_Clean:") + KbAfter(text, "\nPrivate_Dirty:");
  }
  return sum;
}

int64_t SumOf(int64_t a, int64_t b) { return a == kUnknown || b == kUnknown ? kUnknown : a + b; }

void AddMachine(MemorySample* sample) {
  const std::string text = ProcFile("/proc/meminfo").ReadAll();
  sample->kernel_slab = SumOf(KbAfter(text, "\nSReclaimable:"), KbAfter(text, "\nSUnreclaim:"));
  sample->kernel_stack = KbAfter(text, "\nKernelStack:");
  sample->page_table = KbAfter(text, "\nPageTables:");
  sample->available = KbAfter(text, "\nMemAvailable:");
  const std::string sockets = ProcFile("/proc/net/sockstat").ReadAll();
  const size_t tcp = sockets.find("TCP:");
  if (tcp == std::string::npos) return;
  const int64_t pages = NumberAfter(sockets.c_str() + tcp, " mem ");
  if (pages != kUnknown) sample->socket = pages * sysconf(_SC_PAGESIZE);
}

}  // namespace

int64_t MemorySample::Kernel() const { return SumOf(SumOf(kernel_slab, kernel_stack), page_table); }

MemorySample TakeMemorySample(ProcessTree& server, ProcessTree& client) {
  MemorySample sample;
  server.LookAtClocks();
  client.LookAtClocks();
  const TreeSample tree = server.Look();
  (void)client.Look();
  sample.server_processes = tree.processes;
  sample.server_threads = tree.threads;
  AddMachine(&sample);
  const ProcessBytes server_bytes = BytesOf(server.Pids());
  sample.server_pss = server_bytes.pss;
  sample.server_private = server_bytes.private_bytes;
  sample.client_pss = BytesOf(client.Pids()).pss;
  return sample;
}

}  // namespace io_selectors
