{
  # The addon. In a checkout the binding.gyp at the root leads here; in an installed package, which has
  # none there, `spliceway build` does.
  "variables": {
    "here": "<!(node -p \"process.cwd()\")",
    "napi_headers": "<!(node -p \"require('path').dirname(require.resolve('node-addon-api/napi.h'))\")",
    "sources_of": "node -p \"require('./sources.json')[process.argv[1]].join(' ')\"",
  },
  "targets": [
    {
      "target_name": "spliceway",
      "sources": ["<!@(<(sources_of) common)", "<!@(<(sources_of) binding)"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++1y"],
      # -iquote, not -I: sys/socket.h here must not be taken for the system's <sys/socket.h>.
      "cflags_cc": [
        "-std=gnu++20", "-iquote", "<(here)", "-isystem", "<(napi_headers)",
        "-Wall", "-Wextra", "-Wshadow", "-fvisibility=hidden",
      ],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "gnu++20",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "OTHER_CPLUSPLUSFLAGS": ["-iquote", "<(here)", "-isystem", "<(napi_headers)", "-Wall", "-Wextra", "-fvisibility=hidden"],
      },
      "conditions": [
        # nodelete: a thread that lingers in close(2) (sys/linger.h) may outlive the environment that
        # loaded the addon, and its code must be there when it comes back.
        ["OS=='linux'", {"sources": ["<!@(<(sources_of) linux)"], "ldflags": ["-Wl,-z,nodelete"]}],
        ["OS=='mac' or OS=='freebsd' or OS=='openbsd'", {"sources": ["<!@(<(sources_of) bsd)"]}],
        ["target_arch=='x64'", {"sources": ["<!@(<(sources_of) x64)"]}],
        ["target_arch=='arm64'", {"sources": ["<!@(<(sources_of) arm64)"]}],
        ["target_arch!='x64' and target_arch!='arm64'", {"sources": ["<!@(<(sources_of) otherArch)"]}],
      ],
    },
  ],
}
