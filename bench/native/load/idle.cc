#include <unistd.h>

#include <cstdio>
#include <vector>

#include "echo_conn.h"
#include "modes.h"

namespace bench {
namespace {

void AwaitEndOfInput() {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}

}  // namespace

void RunIdle(const Options& options) {
  EchoRun run(options);
  std::vector<EchoConn> conns;
  for (int i = 0; i < options.connections; i++) conns.emplace_back(&run, i);
  std::printf("{\"mode\":\"idle\",\"held\":%zu}\n", conns.size());
  std::fflush(stdout);
  AwaitEndOfInput();
}

}  // namespace bench
