#include <sys/socket.h>

#include <cerrno>
#include <cstdio>

#include "sys/call_linux.h"
#include "sys/socket.h"
#include "sys/socket_flags.h"

namespace spliceway::sys {

Result<OwnFd> Socket(Family family, SocketType type, int protocol) {
  OwnFd fd(socket(FamilyFlag(family), TypeFlag(type) | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (fd) return fd;
  return Error{"socket", errno};
}

Result<OwnFd> Accept(int fd, SockAddr* peer) {
  for (;;) {
    OwnFd conn(call::accept4(fd, peer->get(), peer->room(), SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (conn) return conn;
    if (errno != EINTR && errno != ECONNABORTED) return Error{"accept4", errno};
  }
}

// Read anew each time, as it is cheap beside a listen: Go's maxListenerBacklog.
int MaxBacklog() {
  int max = SOMAXCONN;
  if (FILE* file = std::fopen("/proc/sys/net/core/somaxconn", "re")) {
    if (std::fscanf(file, "%d", &max) != 1 || max <= 0) max = SOMAXCONN;
    std::fclose(file);
  }
  return max;
}

}  // namespace spliceway::sys
