// ProtocolOptions: the protocol of a run and its settings, from the options that the protocols
// share.
#pragma once

#include <string>
#include <vector>

#include "load_generator/request_spec.h"

namespace io_selectors {

struct RunOptions;

enum class ProtocolName { kEcho, kRequest, kHttp };

/** As in options and reports. */
const char* NameOf(ProtocolName protocol);

struct ProtocolOptions {
  ProtocolName name = ProtocolName::kEcho;
  RequestSpec request;              // of the command line
  std::string script_path;          // empty: there is none
  std::vector<RequestSpec> script;  // what is sent: at least one request, after CompleteProtocol()
  std::string greeting;             // what the server sends first ends with these bytes
};

/** Whether `name` belongs to the options that are read here. */
bool IsProtocolOption(const std::string& name);

/** @returns what is wrong with the value, or nothing. */
std::string SetProtocolOption(const std::string& name, const std::string& value,
                              RunOptions* options);

/** Fills in what follows from all options together. @returns what is missing or wrong. */
std::string CompleteProtocol(RunOptions* options);

std::string ProtocolUsage();

}  // namespace io_selectors
