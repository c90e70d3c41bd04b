#include "load_generator/protocol_options.h"

#include "load_generator/options.h"
#include "load_generator/sources.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

constexpr ProtocolName kProtocols[] = {ProtocolName::kEcho, ProtocolName::kRequest,
                                       ProtocolName::kHttp};

std::string SetName(const std::string& value, ProtocolOptions* options) {
  for (const ProtocolName protocol : kProtocols) {
    if (value != NameOf(protocol)) continue;
    options->name = protocol;
    return "";
  }
  return Format("--protocol: \"%s\" is not one of echo, request, http", value.c_str());
}

bool IsLoopback(const std::string& host) { return IsIpv4Loopback(host) || host == "::1"; }

/** @returns what is wrong with one request. */
std::string CheckRequest(const RequestSpec& spec, ProtocolName name) {
  const bool http = name == ProtocolName::kHttp;
  if (name != ProtocolName::kRequest && !spec.request_option.empty()) {
    return spec.request_option + " needs --protocol request";
  }
  if (!http && !spec.http_option.empty()) {
    return spec.http_option + " needs --protocol http";
  }
  if (http && spec.has_expected_body && !spec.sha256.empty()) {
    return "--expect-body and --expect-sha256 are two ways to say the same";
  }
  if (name != ProtocolName::kRequest) return "";
  if (spec.send.empty()) return "--send is missing (--protocol request needs it)";
  const int ends = (spec.until.empty() ? 0 : 1) + (spec.expect_bytes > 0 ? 1 : 0) +
                   (spec.prefix.bytes > 0 ? 1 : 0);
  if (ends > 1) return "--until, --expect-bytes and --length-prefix exclude each other";
  if (ends == 0 && spec.expect.empty()) {
    return "one of --expect, --until, --expect-bytes and --length-prefix has to say where an "
           "answer ends";
  }
  if (spec.expect_bytes > 0 && !spec.expect.empty()) {
    return "--expect-bytes: the length is that of --expect";
  }
  return "";
}

}  // namespace

const char* NameOf(ProtocolName protocol) {
  switch (protocol) {
    case ProtocolName::kRequest:
      return "request";
    case ProtocolName::kHttp:
      return "http";
    case ProtocolName::kEcho:
      break;
  }
  return "echo";
}

bool IsProtocolOption(const std::string& name) {
  return name == "--protocol" || name == "--script" || name == "--greeting" ||
         IsRequestOption(name);
}

std::string SetProtocolOption(const std::string& name, const std::string& value,
                              RunOptions* options) {
  ProtocolOptions& protocol = options->protocol;
  if (name == "--protocol") return SetName(value, &protocol);
  if (name == "--script") {
    protocol.script_path = value;
    return "";
  }
  if (name != "--greeting") return SetRequestOption(name, value, &protocol.request);
  if (Unescape(value, &protocol.greeting) && !protocol.greeting.empty()) return "";
  return Format("--greeting: %s are no bytes", Quote(value).c_str());
}

std::string CompleteProtocol(RunOptions* options) {
  ProtocolOptions& protocol = options->protocol;
  const bool echo = protocol.name == ProtocolName::kEcho;
  // Echo pipelines as it always did; others have one request under way on a connection.
  if (options->depth < 0) options->depth = echo ? 0 : 1;
  if (echo && !protocol.script_path.empty()) return "--script needs --protocol http or request";
  if (echo && options->reopen_percent > 0)
    return "--reopen-percent needs --protocol http or request";
  if (protocol.name != ProtocolName::kRequest && !protocol.greeting.empty()) {
    return "--greeting needs --protocol request";
  }
  if (!echo && options->allow_remote == 0 && !IsLoopback(options->host)) {
    return Format(
        "--host: %s is not this machine's loopback (127.0.0.0/8, ::1); load on other "
        "machines needs --allow-remote 1 and their owner's consent",
        options->host.c_str());
  }
  std::string error;
  if (!protocol.script_path.empty()) {
    error = ReadScript(protocol.script_path, protocol.request, &protocol.script);
  } else {
    protocol.script.push_back(protocol.request);
  }
  for (const RequestSpec& spec : protocol.script) {
    if (error.empty()) error = CheckRequest(spec, protocol.name);
  }
  return error;
}

std::string ProtocolUsage() {
  return "  --protocol NAME           echo (default), request, http\n"
         "  --script FILE             requests, one per line, with weights; request and http\n"
         "  --greeting BYTES          the server speaks first, until these bytes; request\n" +
         RequestUsage();
}

}  // namespace io_selectors
