{
  "variables": {
    "core_sources": [
      "native/core/selector.cc",
      "native/core/stop_signal.cc",
      "native/backends/backends.cc",
      "native/backends/epoll.cc",
      "native/backends/poll.cc",
      "native/backends/select.cc",
      "native/net/socket.cc",
    ],
    # CI treats warnings as errors; a stranger's newer compiler must not.
    "warnings_as_errors%": "<!(node -p \"process.env.CI ? 1 : 0\")",
  },
  "target_defaults": {
    "include_dirs": ["native"],
    "cflags": ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-fvisibility=hidden"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
      "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "WARNING_CFLAGS": ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion"],
    },
    "conditions": [["warnings_as_errors==1", {"cflags": ["-Werror"]}]],
  },
  "targets": [
    {
      "target_name": "io_selectors",
      "type": "loadable_module",
      "sources": [
        "<@(core_sources)",
        "native/addon/addon.cc",
        "native/addon/host_loop.cc",
        "native/addon/selector_calls.cc",
        "native/addon/socket_calls.cc",
        "native/addon/turn.cc",
      ],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      # As system headers, so that our warning flags judge our code only.
      "cflags_cc": ["-isystem", "../<!(node -p \"require('node-addon-api').include_dir\")"],
      "xcode_settings": {
        "OTHER_CPLUSPLUSFLAGS": ["-isystem", "../<!(node -p \"require('node-addon-api').include_dir\")"],
      },
    },
    {
      "target_name": "echo-server",
      "type": "executable",
      "sources": [
        "<@(core_sources)",
        "native/echo_server/main.cc",
        "native/echo_server/connection.cc",
        "native/echo_server/strategies.cc",
        "native/echo_server/busy_poll.cc",
        "native/echo_server/selector_loop.cc",
        "native/echo_server/thread_per_connection.cc",
      ],
      "libraries": ["-pthread"],
    },
    {
      "target_name": "load-generator",
      "type": "executable",
      "sources": [
        "<@(core_sources)",
        "native/load_generator/main.cc",
      ],
      "libraries": ["-pthread"],
    },
  ],
}
