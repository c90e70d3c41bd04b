// AgentProcess: a program that the agent runs for its coordinator: lines in, lines out, and the end
// as waitpid(2) reports it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/owned_fd.h"

namespace io_selectors {

class AgentProcess {
 public:
  /**
   * Starts it; the kernel kills it if this process ends. Its standard input is a pipe.
   * @param argv the program, found as execvp(3) does, and its arguments
   */
  AgentProcess(int64_t id, const std::vector<std::string>& argv);

  int64_t id() const { return id_; }
  /** 0: it could not be started, and error() says why. */
  pid_t pid() const { return pid_; }
  const std::string& error() const { return error_; }

  int output() const { return output_.get(); }
  int errors() const { return errors_.get(); }

  /** Whole lines that have come since the last call. Closes the pipe at its end. */
  std::vector<std::string> ReadLines();
  /** Text that has come on standard error. Closes the pipe at its end. */
  std::string ReadErrors();

  /** Writes to its standard input. Lost if it has ended, or if it does not read 64 KiB. */
  void Send(const std::string& text);
  void CloseInput() { input_.Reset(); }

  bool ended() const { return ended_; }
  int status() const { return status_; }
  void SetEnded(int status) {
    ended_ = true;
    status_ = status;
  }

 private:
  int64_t id_;
  pid_t pid_ = 0;
  std::string error_;
  OwnedFd input_;
  OwnedFd output_;
  OwnedFd errors_;
  std::string rest_;  // of a line that has not ended
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace io_selectors
