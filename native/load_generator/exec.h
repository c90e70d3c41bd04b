// Exec: turns this process into another program. execvp(3)
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace io_selectors {

/** @param words the program, and its arguments. @returns only if that fails: the errno. */
inline int Exec(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  return errno;
}

}  // namespace io_selectors
