// The load generator of the benchmarks. One thread that never sleeps; it measures its server from
// outside, checks every byte, and prints what it found as lines of JSON, the last of which is the
// result. Anything wrong ends it with a sentence on standard error and status 1.

#include <utility>

#include "fail.h"
#include "modes.h"
#include "tcp.h"

namespace {

constexpr std::pair<const char*, void (*)(const bench::Options&)> kModes[] = {
    {"echo", bench::RunEcho},       {"connect", bench::RunConnect},
    {"idle", bench::RunIdle},       {"forward", bench::RunForward},
    {"lines", bench::RunLines},     {"ping-pong", bench::RunPingPong},
    {"receive", bench::RunReceive}, {"packets", bench::RunPackets},
    {"frames", bench::RunFrames},   {"http", bench::RunHTTP},
};

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::ParseOptions(argc, argv);
  raise_descriptor_limit();
  for (const auto& [mode, run] : kModes) {
    if (options.mode != mode) continue;
    run(options);
    return 0;
  }
  bench::Fail("there is no mode %s", options.mode.c_str());
}
