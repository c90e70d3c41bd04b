// One raw call of I/O. Its arguments are read so that no value that JavaScript can pass does harm:
// only an int32 is a descriptor, and no range reaches outside its array. A read that returns false
// stands for -EINVAL.
#pragma once

#include <node_api.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "addon/environment.h"

namespace io_selectors {

/** Part of a Uint8Array. Valid until JavaScript runs again. */
struct Slice {
  uint8_t* data = nullptr;
  size_t length = 0;
};

class IoCall {
 public:
  IoCall(napi_env env, napi_callback_info info) : env_(env) {
    void* data = nullptr;
    napi_get_cb_info(env, info, &count_, arguments_, nullptr, &data);
    environment_ = static_cast<Environment*>(data);
  }

  Environment& environment() const { return *environment_; }

  /** Whether that argument is an int32. napi_get_value_int32 makes a 0 of NaN and of 2^32, which
   * would be standard input. */
  bool ReadInt(size_t index, int32_t* integer) const {
    double number = 0;
    if (napi_get_value_double(env_, arguments_[index], &number) != napi_ok) return false;
    if (!(number >= INT32_MIN && number <= INT32_MAX)) return false;
    *integer = static_cast<int32_t>(number);
    return *integer == number;
  }

  /**
   * Reads three arguments, `bytes, offset, length`: from `offset` on (0 unless given), `length`
   * bytes (the rest unless given). False unless that lies in an attached Uint8Array.
   */
  bool ReadSlice(size_t index, Slice* slice) const {
    size_t size = 0;
    if (!ReadBytes(index, &slice->data, &size)) return false;
    size_t offset = 0;
    if (!ReadSize(index + 1, size, 0, &offset)) return false;
    if (!ReadSize(index + 2, size - offset, size - offset, &slice->length)) return false;
    // What one call transfers at most (read(2)); its count fits an int32.
    constexpr size_t kMostBytes = 0x7ffff000;
    if (slice->length > kMostBytes) slice->length = kMostBytes;
    slice->data += offset;
    return true;
  }

  /** As ReadSlice, and not empty: receiving without room would return 0, as at the end of a file.
   */
  bool ReadRoom(size_t index, Slice* slice) const {
    return ReadSlice(index, slice) && slice->length > 0;
  }

  /** Whether that argument is an attached Uint8Array. */
  bool ReadBytes(size_t index, uint8_t** data, size_t* size) const {
    napi_typedarray_type type = napi_int8_array;
    void* start = nullptr;
    const napi_status status =
        napi_get_typedarray_info(env_, arguments_[index], &type, size, &start, nullptr, nullptr);
    if (status != napi_ok || type != napi_uint8_array) return false;
    *data = static_cast<uint8_t*>(start);
    return *size > 0 || !IsDetached(index);
  }

  /** Whether that argument is an Int32Array; a detached one has no elements. */
  bool ReadInts(size_t index, int32_t** data, size_t* count) const {
    napi_typedarray_type type = napi_uint8_array;
    void* start = nullptr;
    const napi_status status =
        napi_get_typedarray_info(env_, arguments_[index], &type, count, &start, nullptr, nullptr);
    if (status != napi_ok || type != napi_int32_array) return false;
    *data = static_cast<int32_t*>(start);
    return true;
  }

  /** Whether that argument is an integer from 0 to 2^53. */
  bool ReadCount(size_t index, uint64_t* count) const {
    constexpr double kLargest = 9007199254740992.0;
    double number = 0;
    if (napi_get_value_double(env_, arguments_[index], &number) != napi_ok) return false;
    if (!(number >= 0 && number <= kLargest)) return false;
    *count = static_cast<uint64_t>(number);
    return static_cast<double>(*count) == number;
  }

  /** n or -errno: an int32, as a slice's length is. */
  napi_value Answer(ssize_t n) const {
    napi_value result = nullptr;
    napi_create_int32(env_, static_cast<int32_t>(n), &result);
    return result;
  }

 private:
  static constexpr size_t kMost = 5;

  /** An integer from 0 to `most`; `fallback` for undefined, quickly for what was not passed. */
  bool ReadSize(size_t index, size_t most, size_t fallback, size_t* size) const {
    double number = 0;
    *size = fallback;
    if (index >= count_) return true;
    if (napi_get_value_double(env_, arguments_[index], &number) != napi_ok) {
      napi_valuetype type = napi_null;
      return napi_typeof(env_, arguments_[index], &type) == napi_ok && type == napi_undefined;
    }
    if (!(number >= 0 && number <= static_cast<double>(most))) return false;
    *size = static_cast<size_t>(number);
    return static_cast<double>(*size) == number;
  }

  bool IsDetached(size_t index) const {
    napi_value buffer = nullptr;
    bool detached = false;
    napi_get_typedarray_info(env_, arguments_[index], nullptr, nullptr, nullptr, &buffer, nullptr);
    return napi_is_detached_arraybuffer(env_, buffer, &detached) == napi_ok && detached;
  }

  napi_env env_;
  Environment* environment_ = nullptr;
  size_t count_ = kMost;
  napi_value arguments_[kMost] = {};
};

}  // namespace io_selectors
