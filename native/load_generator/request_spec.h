// RequestSpec: one request and its expected answer, from options on the command line or in a line
// of a script.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace io_selectors {

/** The length of an answer, in front of it. */
struct LengthPrefix {
  size_t bytes = 0;  // 1, 2, 4 or 8; 0: there is none
  bool little_endian = false;
};

struct RequestSpec {
  int64_t weight = 1;  // how often it is chosen, relative to the others

  // request
  std::string send;
  std::string expect;        // the answer; with `until`, its beginning
  std::string until;         // the answer ends with these bytes
  int64_t expect_bytes = 0;  // the length of an answer
  LengthPrefix prefix;

  // http
  std::string method = "GET";
  std::string path = "/";
  std::string headers;  // "Name: value\r\n" each
  std::string body;
  int64_t status = 200;
  bool has_expected_body = false;
  std::string expected_body;
  std::string sha256;  // 32 bytes; empty: the body is not hashed

  // The last option of each protocol that was given, for the error message.
  std::string request_option;
  std::string http_option;
};

/** Names of all options that a request has, separated by commas. */
std::string RequestOptionNames();

/** Whether `name` is one of them. */
bool IsRequestOption(const std::string& name);

/** @returns what is wrong with the value, or nothing. */
std::string SetRequestOption(const std::string& name, const std::string& value, RequestSpec* spec);

/**
 * Bytes as they are written in options: \r, \n, \t, \0, \\, \xHH; all others stand for themselves.
 * @returns false if a backslash begins none of these.
 */
bool Unescape(const std::string& text, std::string* bytes);

/** Bytes for a line of text, in quotes, with those escapes; long ones are cut. */
std::string Quote(const std::string& bytes);

/**
 * Reads a script: one request per line, `[WEIGHT] --option value …`, words in quotes where they
 * hold spaces, comments after #. What a line does not say is as in `defaults`.
 * @returns what is wrong, with the file and the line, or nothing.
 */
std::string ReadScript(const std::string& path, const RequestSpec& defaults,
                       std::vector<RequestSpec>* script);

/** One line per option: name, meaning. */
std::string RequestUsage();

}  // namespace io_selectors
