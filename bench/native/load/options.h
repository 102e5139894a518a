// The command line: a mode, then --name value pairs.
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace bench {

struct Options {
  std::string mode;
  sockaddr_in target{};
  pid_t server_pid = 0;
  int connections = 1;
  int64_t size = 64;
  int in_flight = 1;
  int64_t warm_up_ns = 0;
  int64_t measure_ns = 0;
};

// Ends the process with the usage where the command line is wrong.
Options ParseOptions(int argc, char** argv);

}  // namespace bench
