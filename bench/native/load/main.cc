// The load generator of the benchmarks. One thread that never sleeps; it measures its server from
// outside, checks every byte, and prints what it found as lines of JSON, the last of which is the
// result. Anything wrong ends it with a sentence on standard error and status 1.

#include "fail.h"
#include "modes.h"
#include "tcp.h"

int main(int argc, char** argv) {
  const bench::Options options = bench::ParseOptions(argc, argv);
  raise_descriptor_limit();
  if (options.mode == "echo") {
    bench::RunEcho(options);
  } else if (options.mode == "connect") {
    bench::RunConnect(options);
  } else if (options.mode == "idle") {
    bench::RunIdle(options);
  } else if (options.mode == "forward") {
    bench::RunForward(options);
  } else if (options.mode == "lines") {
    bench::RunLines(options);
  } else if (options.mode == "packets") {
    bench::RunPackets(options);
  } else {
    bench::Fail("there is no mode %s", options.mode.c_str());
  }
}
