// How a call that can fail returns to TypeScript: with its value, or with -errno, while
// failedSyscall() keeps the name of the system call.
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

/** The number of a descriptor that JavaScript closes. */
inline Napi::Number GiveOut(const Napi::CallbackInfo& info, OwnedFd fd) {
  auto* environment = static_cast<Environment*>(info.Data());
  return Napi::Number::New(info.Env(), environment->GiveOut(std::move(fd)));
}

inline Napi::Value AnswerDescriptor(const Napi::CallbackInfo& info, Result<OwnedFd> fd) {
  if (!fd.ok()) return AnswerRefusal(info, fd.error());
  return GiveOut(info, std::move(fd.value()));
}

/** Both descriptors in an array; JavaScript closes them. */
inline Napi::Value AnswerPair(const Napi::CallbackInfo& info, DescriptorPair pair) {
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(0U, GiveOut(info, std::move(pair.first)));
  both.Set(1U, GiveOut(info, std::move(pair.second)));
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
