// load-generator: puts load on a server and measures it from outside. One executable, eight
// subcommands: `run` is one load, `hold` many short ones on the same connections, `check` reads
// the options of a run, `launch` starts a server under conditions that can be compared,
// `supervise` runs a command that nothing outlives, `burn` one with a planted cost; `agent` is
// the suite's hand on another machine, `observe` its eye on the server there.
#include <cstdio>
#include <string>
#include <vector>

#include "load_generator/agent.h"
#include "load_generator/burn.h"
#include "load_generator/hold.h"
#include "load_generator/launch.h"
#include "load_generator/observe.h"
#include "load_generator/options.h"
#include "load_generator/run.h"
#include "load_generator/supervise.h"

namespace {

void PrintUsage(FILE* out) {
  std::fprintf(out,
               "usage: load-generator run --port PORT [options]\n"
               "       load-generator hold --port PORT [options] < COMMANDS\n"
               "       load-generator check --port PORT [options]\n"
               "       load-generator launch [--cpu N] -- COMMAND [ARGUMENTS]\n"
               "       load-generator supervise [--kill-rest] -- COMMAND [ARGUMENTS]\n"
               "       load-generator burn --percent N -- COMMAND [ARGUMENTS]\n"
               "       load-generator observe --server-pid N [options] < COMMANDS\n"
               "       load-generator agent < FRAMES\n"
               "options of run; hold takes those that concern connections and requests:\n%s",
               io_selectors::RunUsage().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  const std::vector<std::string> arguments(argv + (argc > 2 ? 2 : argc), argv + argc);
  if (command == "run") return io_selectors::Run(arguments);
  if (command == "check") return io_selectors::Check(arguments);
  if (command == "hold") return io_selectors::Hold(arguments);
  if (command == "observe") return io_selectors::Observe(arguments);
  if (command == "agent") return io_selectors::RunAgent(arguments);
  if (command == "burn") return io_selectors::Burn(arguments);
  if (command == "launch") return io_selectors::Launch(arguments);
  if (command == "supervise") return io_selectors::Supervise(arguments);
  const bool asked = command == "--help";
  if (!asked) std::fprintf(stderr, "load-generator: unknown command \"%s\"\n", command.c_str());
  PrintUsage(asked ? stdout : stderr);
  return asked ? 0 : 2;
}
