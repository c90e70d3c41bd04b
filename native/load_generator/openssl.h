// OpenSsl: the functions of OpenSSL that the load generator calls, found by dlopen(3) at run time,
// so that neither the build nor the package depends on it. Versions 1.1 and 3.
#pragma once

#include <cstddef>
#include <string>

namespace io_selectors {

/** Opaque types of OpenSSL, named as there: SSL_METHOD, SSL_CTX, SSL, X509_VERIFY_PARAM. */
struct SslMethod;
struct SslContext;
struct SslSession;
struct SslVerification;

/** Signatures as in OpenSSL's manual pages; FindAll() in openssl.cc has their names there. */
struct OpenSsl {
  const SslMethod* (*client_method)();
  SslContext* (*new_context)(const SslMethod* method);
  void (*free_context)(SslContext* context);
  long (*control_context)(SslContext* context, int command, long number, void* pointer);
  unsigned long (*set_options)(SslContext* context, unsigned long options);
  void (*set_verify)(SslContext* context, int mode, void* callback);
  int (*load_authorities)(SslContext* context, const char* file, const char* folder);
  int (*use_system_authorities)(SslContext* context);
  SslVerification* (*verification_of)(SslContext* context);
  int (*expect_name)(SslVerification* verification, const char* name, size_t length);
  int (*expect_address)(SslVerification* verification, const char* address);
  void (*set_quiet_shutdown)(SslContext* context, int quiet);
  int (*set_alpn)(SslContext* context, const unsigned char* protocols, unsigned int length);

  SslSession* (*new_session)(SslContext* context);
  void (*free_session)(SslSession* session);
  int (*set_fd)(SslSession* session, int fd);
  long (*control_session)(SslSession* session, int command, long number, void* pointer);
  void (*set_connect_state)(SslSession* session);
  int (*do_handshake)(SslSession* session);
  int (*read)(SslSession* session, void* buffer, int length);
  int (*write)(SslSession* session, const void* buffer, int length);
  int (*shutdown)(SslSession* session);
  int (*get_error)(const SslSession* session, int returned);
  long (*verify_result)(const SslSession* session);
  const char* (*verify_text)(long result);

  unsigned long (*next_error)();
  void (*clear_errors)();
  const char* (*reason_text)(unsigned long error);
};

/**
 * Opens the library once per process. @param error why it is missing, and what to do
 * @returns nullptr if it is missing. dlopen(3)
 */
const OpenSsl* LoadOpenSsl(std::string* error);

}  // namespace io_selectors
