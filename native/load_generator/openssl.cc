#include "load_generator/openssl.h"

#include <dlfcn.h>

#include <cstdlib>

#include "load_generator/text.h"

namespace io_selectors {

namespace {

// If this environment variable holds a path, no other library is tried.
constexpr const char* kPathVariable = "IO_SELECTORS_LIBSSL";

// With their version: an unversioned name is another library on macOS, and aborts the process.
constexpr const char* kNames[] = {
#ifdef __APPLE__
    "/opt/homebrew/opt/openssl@3/lib/libssl.3.dylib",
    "/usr/local/opt/openssl@3/lib/libssl.3.dylib",
    "libssl.3.dylib",
#else
    "libssl.so.3",
    "libssl.so.1.1",
    "libssl.so.30",  // FreeBSD 14
#endif
};

/** Looks in the library and in those that it needs: libcrypto is one of them. dlsym(3) */
template <typename Function>
bool Find(void* library, const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(dlsym(library, name));
  return *function != nullptr;
}

/** @returns whether the library has all functions. */
bool FindAll(void* library, OpenSsl* ssl) {
  return Find(library, "TLS_client_method", &ssl->client_method) &&
         Find(library, "SSL_CTX_new", &ssl->new_context) &&
         Find(library, "SSL_CTX_free", &ssl->free_context) &&
         Find(library, "SSL_CTX_ctrl", &ssl->control_context) &&
         Find(library, "SSL_CTX_set_options", &ssl->set_options) &&
         Find(library, "SSL_CTX_set_verify", &ssl->set_verify) &&
         Find(library, "SSL_CTX_load_verify_locations", &ssl->load_authorities) &&
         Find(library, "SSL_CTX_set_default_verify_paths", &ssl->use_system_authorities) &&
         Find(library, "SSL_CTX_get0_param", &ssl->verification_of) &&
         Find(library, "X509_VERIFY_PARAM_set1_host", &ssl->expect_name) &&
         Find(library, "X509_VERIFY_PARAM_set1_ip_asc", &ssl->expect_address) &&
         Find(library, "SSL_CTX_set_quiet_shutdown", &ssl->set_quiet_shutdown) &&
         Find(library, "SSL_CTX_set_alpn_protos", &ssl->set_alpn) &&
         Find(library, "SSL_new", &ssl->new_session) &&
         Find(library, "SSL_free", &ssl->free_session) &&
         Find(library, "SSL_set_fd", &ssl->set_fd) &&
         Find(library, "SSL_ctrl", &ssl->control_session) &&
         Find(library, "SSL_set_connect_state", &ssl->set_connect_state) &&
         Find(library, "SSL_do_handshake", &ssl->do_handshake) &&
         Find(library, "SSL_read", &ssl->read) && Find(library, "SSL_write", &ssl->write) &&
         Find(library, "SSL_shutdown", &ssl->shutdown) &&
         Find(library, "SSL_get_error", &ssl->get_error) &&
         Find(library, "SSL_get_verify_result", &ssl->verify_result) &&
         Find(library, "X509_verify_cert_error_string", &ssl->verify_text) &&
         Find(library, "ERR_get_error", &ssl->next_error) &&
         Find(library, "ERR_clear_error", &ssl->clear_errors) &&
         Find(library, "ERR_reason_error_string", &ssl->reason_text);
}

bool Load(const char* name, OpenSsl* ssl) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  return library != nullptr && FindAll(library, ssl);
}

bool LoadAny(OpenSsl* ssl) {
  const char* path = std::getenv(kPathVariable);
  if (path != nullptr && *path != '\0') return Load(path, ssl);
  for (const char* name : kNames) {
    if (Load(name, ssl)) return true;
  }
  return false;
}

}  // namespace

const OpenSsl* LoadOpenSsl(std::string* error) {
  static OpenSsl ssl;
  static const bool loaded = LoadAny(&ssl);
  if (loaded) return &ssl;
  const char* path = std::getenv(kPathVariable);
  const bool given = path != nullptr && *path != '\0';
  *error = Format(
      "--tls is not available: %s cannot be loaded, and TLS uses the system's OpenSSL; "
      "install it (libssl3, openssl-libs), or set %s to the path of libssl",
      given ? path : kNames[0], kPathVariable);
  return nullptr;
}

}  // namespace io_selectors
