#include "proxied.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstdio>

#include "clock.h"
#include "fail.h"
#include "tcp.h"

namespace bench {
namespace {

constexpr int64_t kAcceptTimeout = 5 * kSecond;

void AskFor(Options* options) {
  char line[64] = "";
  char address[32];
  int pid = 0;
  if (std::fgets(line, sizeof line, stdin) == nullptr ||
      std::sscanf(line, "%31s %d", address, &pid) != 2 ||
      parse_address(address, &options->target) < 0) {
    Fail("standard input must have a line with the proxy's HOST:PORT and PID");
  }
  options->server_pid = pid;
}

}  // namespace

Proxy::Proxy(Options* options) : options_(*options), listener_(listen_on("127.0.0.1:0")) {
  std::printf("{\"mode\":\"%s\",\"listening\":\"127.0.0.1:%d\"}\n", options_.mode.c_str(),
              ntohs(local_address(listener_.get()).sin_port));
  std::fflush(stdout);
  AskFor(options);
}

Proxied Proxy::Open(int from_address) const {
  Proxied ends;
  ends.client = ConnectFrom(from_address, options_.target);
  const int64_t until = Now() + kAcceptTimeout;
  do {
    ends.target = Fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (Now() > until) Fail("the proxy does not connect to its target");
  } while (ends.target.get() < 0);
  return ends;
}

}  // namespace bench
