#include "load_generator/agent.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "core/timeout.h"
#include "load_generator/agent_process.h"
#include "load_generator/descendants.h"
#include "load_generator/flat_json.h"
#include "load_generator/frames.h"
#include "load_generator/json_object.h"
#include "load_generator/limits.h"
#include "load_generator/memory_sample.h"

namespace io_selectors {

namespace {

constexpr int kProtocol = 1;
/** A coordinator asks for the time every few seconds. One whose machine lost power never ends. */
constexpr int64_t kLongestSilenceNs = 60 * kNsPerSecond;
constexpr size_t kMostOfAFile = 1u << 20;

int child_pipe[2] = {-1, -1};

void OnChild(int /*signal*/) {
  const int error = errno;
  (void)!write(child_pipe[1], "", 1);
  errno = error;
}

/** Time that includes what the machine slept; a difference to CLOCK_MONOTONIC is a suspension. */
int64_t BootNs() {
#ifdef CLOCK_BOOTTIME
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec;
#else
  return MonotonicNs();
#endif
}

struct SignalRow {
  const char* name;
  int number;
};

/** Requests name signals, because their numbers differ between systems. signal(7) */
constexpr SignalRow kSignals[] = {
    {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT}, {"SIGILL", SIGILL},
    {"SIGABRT", SIGABRT}, {"SIGBUS", SIGBUS},   {"SIGFPE", SIGFPE},   {"SIGKILL", SIGKILL},
    {"SIGUSR1", SIGUSR1}, {"SIGSEGV", SIGSEGV}, {"SIGUSR2", SIGUSR2}, {"SIGPIPE", SIGPIPE},
    {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM}, {"SIGCONT", SIGCONT}, {"SIGSTOP", SIGSTOP},
};

/** 0: unknown, which kill(2) takes for a question. */
int SignalNumber(const std::string& name) {
  for (const SignalRow& row : kSignals) {
    if (name == row.name) return row.number;
  }
  return 0;
}

std::string SignalName(int number) {
  for (const SignalRow& row : kSignals) {
    if (number == row.number) return row.name;
  }
  return Format("signal %d", number);
}

std::string QuotedList(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ",") + QuoteJson(text);
  return "[" + list + "]";
}

/** A file as a JSON string, or null if it cannot be read. */
std::string FileAsJson(const std::string& path) {
  const OwnedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return "null";
  std::string text;
  char chunk[16'384];
  for (;;) {
    const ssize_t length = read(fd.get(), chunk, sizeof(chunk));
    if (length < 0) return "null";
    if (length == 0 || text.size() > kMostOfAFile) return QuoteJson(text);
    text.append(chunk, static_cast<size_t>(length));
  }
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  DIR* opened = opendir(folder.c_str());
  if (opened == nullptr) return names;
  while (const dirent* entry = readdir(opened)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(opened);
  return names;
}

/** The address at which ssh reached this machine: the third word of SSH_CONNECTION. sshd(8) */
std::string ReachedAddress() {
  const char* connection = std::getenv("SSH_CONNECTION");
  std::vector<std::string> words(1);
  for (const char* at = connection == nullptr ? "" : connection; *at != '\0'; ++at) {
    if (*at == ' ')
      words.emplace_back();
    else
      words.back() += *at;
  }
  return words.size() == 4 ? words[2] : "";
}

class Agent {
 public:
  int Run() {
    Prepare();
    Tell(Hello());
    int result = 0;
    heard_ns_ = MonotonicNs();
    while (!over_) {
      Wait();
      ServeChildren();
      if (over_) break;
      if (input_ready_ && !requests_.ReadFrom(STDIN_FILENO)) over_ = true;
      std::string message;
      while (requests_.Next(&message)) Obey(message);
      if (requests_.broken()) result = Complain("what came on standard input is no frame");
      if (MonotonicNs() - heard_ns_ > kLongestSilenceNs) {
        result = Complain("the coordinator has been silent for 60 s");
      }
    }
    std::vector<pid_t> known;
    for (const auto& process : processes_) known.push_back(process->pid());
    KillDescendants(known);
    return result;
  }

 private:
  void Prepare() {
    signal(SIGPIPE, SIG_IGN);
    AdoptOrphans();
    RaiseDescriptorLimit();
    if (pipe(child_pipe) == 0) {
      for (const int fd : child_pipe) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, O_NONBLOCK);
      }
    }
    struct sigaction action = {};
    action.sa_handler = OnChild;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, nullptr);
  }

  int Complain(const char* what) {
    std::fprintf(stderr, "load-generator agent: %s\n", what);
    over_ = true;
    return 1;
  }

  static std::string Hello() {
    utsname machine{};
    uname(&machine);
    return JsonObject()
        .Text("event", "hello")
        .Number("protocol", kProtocol)
        .Number("pid", getpid())
        .Text("system", machine.sysname)
        .Text("machine", machine.machine)
        .Text("kernel", machine.release)
        .Number("cpus", sysconf(_SC_NPROCESSORS_ONLN))
        .Number("openFiles", RaiseDescriptorLimit())
        .Number("monotonicNs", MonotonicNs())
        .Raw("address", QuoteJson(ReachedAddress()))
        .End();
  }

  void Tell(const std::string& message) {
    if (!WriteFrame(STDOUT_FILENO, message)) over_ = true;
  }

  void Wait() {
    std::vector<pollfd> watched;
    watched.push_back({STDIN_FILENO, POLLIN, 0});
    watched.push_back({child_pipe[0], POLLIN, 0});
    for (const auto& process : processes_) {
      if (process->output() >= 0) watched.push_back({process->output(), POLLIN, 0});
      if (process->errors() >= 0) watched.push_back({process->errors(), POLLIN, 0});
    }
    const int timeout = ToMilliseconds(kLongestSilenceNs);
    const int ready = poll(watched.data(), static_cast<nfds_t>(watched.size()), timeout);
    input_ready_ = ready > 0 && watched[0].revents != 0;
    char ignored[256];
    while (read(child_pipe[0], ignored, sizeof(ignored)) > 0) continue;
  }

  /** Ended ones first: what they wrote last is in their pipes by then. */
  void ServeChildren() {
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
      for (const auto& process : processes_) {
        if (process->pid() == pid) process->SetEnded(status);
      }
    }
    for (const auto& process : processes_) {
      for (const std::string& line : process->ReadLines()) TellText("line", process->id(), line);
      const std::string errors = process->ReadErrors();
      if (!errors.empty()) TellText("errors", process->id(), errors);
      if (process->ended()) TellExit(*process);
    }
    processes_.erase(std::remove_if(processes_.begin(), processes_.end(),
                                    [](const auto& process) { return process->ended(); }),
                     processes_.end());
  }

  void TellText(const char* event, int64_t id, const std::string& text) {
    Tell(JsonObject().Text("event", event).Number("id", id).Raw("text", QuoteJson(text)).End());
  }

  void TellExit(const AgentProcess& process) {
    const int status = process.status();
    JsonObject event;
    event.Text("event", "exit").Number("id", process.id());
    event.NumberOrNull("code", WIFEXITED(status) ? WEXITSTATUS(status) : kUnknown);
    event.TextOrNull("signal", WIFSIGNALED(status) ? SignalName(WTERMSIG(status)) : "");
    Tell(event.TextOrNull("error", "").End());
  }

  void Obey(const std::string& message) {
    heard_ns_ = MonotonicNs();
    FlatJson request;
    if (!request.Parse(message)) return Refuse(0, "the request is not a flat JSON object");
    const std::string what = request.Text("do");
    const int64_t id = request.Number("id");
    if (what == "clock") return TellTime(id);
    if (what == "start") return Start(id, request.List("argv"));
    if (what == "input") return WithProcess(id, [&](auto& p) { p.Send(request.Text("text")); });
    if (what == "close") return WithProcess(id, [](auto& p) { p.CloseInput(); });
    if (what == "signal") {
      const int number = SignalNumber(request.Text("name"));
      return WithProcess(id, [&](const auto& p) { kill(p.pid(), number); });
    }
    if (what == "read") return TellFiles(id, request.List("paths"));
    if (what == "list") return TellNames(id, request.Text("path"));
    if (what == "alive") return TellAlive(id, static_cast<pid_t>(request.Number("pid")));
    if (what == "memory") {
      return TellMemory(id, static_cast<pid_t>(request.Number("server")),
                        static_cast<pid_t>(request.Number("client")));
    }
    Refuse(id, "unknown request \"" + what + "\"");
  }

  void Refuse(int64_t id, const std::string& reason) {
    Tell(JsonObject()
             .Text("event", "refused")
             .Number("id", id)
             .Raw("reason", QuoteJson(reason))
             .End());
  }

  void TellTime(int64_t id) {
    const int64_t boot_ns = BootNs();
    Tell(JsonObject()
             .Text("event", "clock")
             .Number("id", id)
             .Number("receivedNs", heard_ns_)
             .Number("bootNs", boot_ns)
             .Number("sentNs", MonotonicNs())
             .End());
  }

  void Start(int64_t id, const std::vector<std::string>& argv) {
    if (argv.empty()) return Refuse(id, "start: argv is empty");
    auto process = std::make_unique<AgentProcess>(id, argv);
    JsonObject event;
    if (process->pid() == 0) {
      event.Text("event", "exit").Number("id", id).Raw("code", "null").Raw("signal", "null");
      Tell(event.Raw("error", QuoteJson(process->error())).End());
      return;
    }
    Tell(event.Text("event", "started").Number("id", id).Number("pid", process->pid()).End());
    processes_.push_back(std::move(process));
  }

  template <typename Act>
  void WithProcess(int64_t id, Act act) {
    for (const auto& process : processes_) {
      if (process->id() == id && !process->ended()) act(*process);
    }
  }

  void TellFiles(int64_t id, const std::vector<std::string>& paths) {
    std::string texts;
    for (const std::string& path : paths) texts += (texts.empty() ? "" : ",") + FileAsJson(path);
    Tell(
        JsonObject().Text("event", "files").Number("id", id).Raw("texts", "[" + texts + "]").End());
  }

  void TellNames(int64_t id, const std::string& folder) {
    const std::string names = QuotedList(NamesIn(folder));
    Tell(JsonObject().Text("event", "names").Number("id", id).Raw("names", names).End());
  }

  void TellAlive(int64_t id, pid_t pid) {
    const bool alive = pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
    Tell(JsonObject()
             .Text("event", "alive")
             .Number("id", id)
             .Raw("alive", alive ? "true" : "false")
             .End());
  }

  void TellMemory(int64_t id, pid_t server_pid, pid_t client_pid) {
    ProcessTree server(server_pid);
    ProcessTree client(client_pid);
    const MemorySample sample = TakeMemorySample(server, client);
    Tell(JsonObject()
             .Text("event", "memory")
             .Number("id", id)
             .NumberOrNull("serverBytes", sample.server_pss)
             .NumberOrNull("clientBytes", client_pid > 0 ? sample.client_pss : kUnknown)
             .End());
  }

  FrameReader requests_;
  std::vector<std::unique_ptr<AgentProcess>> processes_;
  int64_t heard_ns_ = 0;
  bool input_ready_ = false;
  bool over_ = false;
};

}  // namespace

int RunAgent(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) {
    std::fprintf(stderr, "load-generator agent: takes no arguments; it speaks on its streams\n");
    return 2;
  }
  return Agent().Run();
}

}  // namespace io_selectors
