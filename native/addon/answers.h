// How a call that may be refused answers TypeScript: its value, or -errno with the system call's
// name kept for failedSyscall(). Enters: Result. Leaves: numbers, arrays of descriptors.
#pragma once

#include <napi.h>

#include <string>
#include <utility>

#include "addon/environment.h"
#include "core/owned_fd.h"
#include "core/result.h"
#include "net/descriptor.h"

namespace io_selectors {

inline Napi::Value AnswerRefusal(const Napi::CallbackInfo& info, const Error& error) {
  return Napi::Number::New(info.Env(), static_cast<Environment*>(info.Data())->Refuse(error));
}

/** The descriptor, which is TypeScript's from now on. */
inline Napi::Value AnswerDescriptor(const Napi::CallbackInfo& info, Result<OwnedFd> fd) {
  if (!fd.ok()) return AnswerRefusal(info, fd.error());
  return Napi::Number::New(info.Env(), fd.value().Release());
}

/** Both descriptors in an array, TypeScript's from now on. */
inline Napi::Value AnswerPair(const Napi::CallbackInfo& info, DescriptorPair pair) {
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0U, Napi::Number::New(info.Env(), pair.first.Release()));
  both.Set(1U, Napi::Number::New(info.Env(), pair.second.Release()));
  return both;
}

/** An argument that TypeScript has checked. */
inline std::string Text(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::String>().Utf8Value();
}
inline int32_t Integer(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Int32Value();
}

}  // namespace io_selectors
