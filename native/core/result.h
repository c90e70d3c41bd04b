// Result<T>: a value, or the errno and the name of the system call that failed. Nothing here
// throws.
#pragma once

#include <cerrno>
#include <utility>

namespace io_selectors {

/**
 * Why a call failed: `errno_value` as in errno(3) and the name of the call that set it. A call that
 * failed without setting errno has EIO, because 0 would be reported as success.
 */
struct Error {
  Error() = default;  // of a result that is ok(): errno_value 0
  Error(int value, const char* call) : errno_value(value != 0 ? value : EIO), syscall(call) {}

  int errno_value = 0;
  const char* syscall = "";
};

inline Error LastError(const char* syscall) { return Error{errno, syscall}; }

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(error) {}         // NOLINT(google-explicit-constructor)

  bool ok() const { return error_.errno_value == 0; }
  T& value() { return value_; }
  const T& value() const { return value_; }
  const Error& error() const { return error_; }

 private:
  T value_{};
  Error error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(error) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return error_.errno_value == 0; }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

}  // namespace io_selectors
