{
  # Stands at the root so that `npm install` in a checkout builds the addon. It is left out of the
  # published package, where a root binding.gyp would make npm rebuild what is prebuilt.
  "variables": {
    "napi_headers": "<!(node -p \"require('path').dirname(require.resolve('node-addon-api/napi.h'))\")",
    "sources_of": "node -p \"require('./native/sources.json')[process.argv[1]].map(f => 'native/' + f).join(' ')\"",
  },
  "targets": [
    {
      "target_name": "spliceway",
      "sources": ["<!@(<(sources_of) common)", "<!@(<(sources_of) binding)"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++1y"],
      # -iquote, not -I: native/sys/socket.h must not be taken for the system's <sys/socket.h>.
      "cflags_cc": [
        "-std=gnu++20", "-iquote", "<(module_root_dir)/native", "-isystem", "<(napi_headers)",
        "-Wall", "-Wextra", "-Wshadow", "-fvisibility=hidden",
      ],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "gnu++20",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "OTHER_CPLUSPLUSFLAGS": ["-iquote", "<(module_root_dir)/native", "-isystem", "<(napi_headers)", "-Wall", "-Wextra", "-fvisibility=hidden"],
      },
      "conditions": [
        # nodelete: a thread that lingers in close(2) (native/sys/linger.h) may outlive the environment
        # that loaded the addon, and its code must be there when it comes back.
        ["OS=='linux'", {"sources": ["<!@(<(sources_of) linux)"], "ldflags": ["-Wl,-z,nodelete"]}],
        ["OS=='mac' or OS=='freebsd' or OS=='openbsd'", {"sources": ["<!@(<(sources_of) bsd)"]}],
      ],
    },
  ],
}
