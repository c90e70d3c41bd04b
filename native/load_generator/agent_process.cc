#include "load_generator/agent_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "load_generator/exec.h"
#include "load_generator/text.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace io_selectors {

namespace {

constexpr int kCannotRun = 127;  // as a shell reports it
// No program of ours writes such a line; keeping it would let a child fill our memory.
constexpr size_t kLongestLine = 4u << 20;

struct Pipe {
  OwnedFd reader;
  OwnedFd writer;
};

/** Both ends close at exec, and are at least 3: dup2(2) onto a stream must not close its source. */
bool OpenPipe(Pipe* ends) {
  int fds[2];
  if (pipe(fds) < 0) return false;
  ends->reader.Reset(fcntl(fds[0], F_DUPFD_CLOEXEC, 3));
  ends->writer.Reset(fcntl(fds[1], F_DUPFD_CLOEXEC, 3));
  close(fds[0]);
  close(fds[1]);
  return ends->reader.valid() && ends->writer.valid();
}

void SetNonBlocking(const OwnedFd& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

/** All that is there, up to 1 MiB at a time. @returns false at the end of the input. */
bool ReadAvailable(int fd, std::string* text) {
  std::array<char, 65'536> chunk;
  for (int i = 0; i < 16; ++i) {
    const ssize_t length = read(fd, chunk.data(), chunk.size());
    if (length < 0) return errno == EAGAIN || errno == EINTR;
    if (length == 0) return false;
    text->append(chunk.data(), static_cast<size_t>(length));
  }
  return true;
}

[[noreturn]] void Become(const std::vector<std::string>& arguments, int report) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  signal(SIGPIPE, SIG_DFL);
  signal(SIGCHLD, SIG_DFL);
  const int error = Exec(arguments);
  (void)!write(report, &error, sizeof(error));
  _exit(kCannotRun);
}

}  // namespace

AgentProcess::AgentProcess(int64_t id, const std::vector<std::string>& argv) : id_(id) {
  Pipe input;
  Pipe output;
  Pipe errors;
  Pipe report;  // closes at exec; otherwise it carries the errno
  if (!OpenPipe(&input) || !OpenPipe(&output) || !OpenPipe(&errors) || !OpenPipe(&report)) {
    error_ = Format("pipe: %s", std::strerror(errno));
    return;
  }
  const pid_t pid = fork();
  if (pid < 0) {
    error_ = Format("fork: %s", std::strerror(errno));
    return;
  }
  if (pid == 0) {
    dup2(input.reader.get(), STDIN_FILENO);
    dup2(output.writer.get(), STDOUT_FILENO);
    dup2(errors.writer.get(), STDERR_FILENO);
    Become(argv, report.writer.get());
  }
  report.writer.Reset();
  int error = 0;
  if (read(report.reader.get(), &error, sizeof(error)) == sizeof(error)) {
    error_ = Format("%s: %s", argv[0].c_str(), std::strerror(error));
    return;  // it is reaped as an unknown child
  }
  pid_ = pid;
  input_ = std::move(input.writer);
  output_ = std::move(output.reader);
  errors_ = std::move(errors.reader);
  for (const OwnedFd* fd : {&input_, &output_, &errors_}) SetNonBlocking(*fd);
}

std::vector<std::string> AgentProcess::ReadLines() {
  std::vector<std::string> lines;
  if (!output_.valid()) return lines;
  if (!ReadAvailable(output_.get(), &rest_)) output_.Reset();
  size_t start = 0;
  for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', start)) {
    lines.push_back(rest_.substr(start, end - start));
    start = end + 1;
  }
  rest_.erase(0, start);
  if (rest_.size() > kLongestLine) rest_.clear();
  return lines;
}

std::string AgentProcess::ReadErrors() {
  std::string text;
  if (errors_.valid() && !ReadAvailable(errors_.get(), &text)) errors_.Reset();
  return text;
}

void AgentProcess::Send(const std::string& text) {
  if (input_.valid()) (void)!write(input_.get(), text.data(), text.size());
}

}  // namespace io_selectors
