// The command line: a mode, then --name value pairs.
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "clock.h"

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
  // How long nothing may come.
  int64_t patience_ns = 5 * kSecond;
  // What the server sends; asked for by HTTP where there is a request, and without end if so.
  std::string file;
  std::string request;
  bool endless = false;
};

// Ends the process with the usage where the command line is wrong.
Options ParseOptions(int argc, char** argv);

}  // namespace bench
