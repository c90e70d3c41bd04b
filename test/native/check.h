// TEST and CHECK: the whole of the C++ tests' framework. A CHECK that fails is printed and counted,
// and its case goes on; a case that leaves descriptors open has failed, too.
#pragma once

#include <functional>
#include <string>

namespace io_selectors {

/** Takes a case in. Cases run in the order in which their files were linked. */
bool Enlist(std::string name, std::function<void()> run);

/** Counts a failure of the case that is running, and prints it. */
void Fail(const char* file, int line, const std::string& what);

/** Of the case that is running, so far. */
int FailuresOfCase();

template <typename A, typename B>
void CheckEqual(const char* file, int line, const char* text, const A& got, const B& wanted) {
  if (got == wanted) return;
  const std::string values = std::to_string(got) + ", not " + std::to_string(wanted);
  Fail(file, line, std::string(text) + ": " + values);
}

}  // namespace io_selectors

#define TEST(name)                                                                          \
  static void name();                                                                       \
  [[maybe_unused]] static const bool name##_enlisted = ::io_selectors::Enlist(#name, name); \
  static void name()

#define CHECK(condition)                                                    \
  do {                                                                      \
    if (!(condition)) ::io_selectors::Fail(__FILE__, __LINE__, #condition); \
  } while (false)

/** Both numbers are printed where they differ. */
#define CHECK_EQ(got, wanted) \
  ::io_selectors::CheckEqual(__FILE__, __LINE__, #got " == " #wanted, got, wanted)
