// macOS and the BSDs: no SOCK_NONBLOCK on macOS, so the flags follow in calls of their own. Node's
// child_process takes the fork lock of its own runtime, not ours: the window in which a descriptor
// could leak into a child is the one libuv has on these systems.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <cerrno>

#include "sys/socket.h"

namespace spliceway::sys {
namespace {

int FamilyFlag(Family family) {
  switch (family) {
    case Family::kIp4: return AF_INET;
    case Family::kIp6: return AF_INET6;
    case Family::kUnix: return AF_UNIX;
  }
  return AF_UNSPEC;
}

int TypeFlag(SocketType type) {
  switch (type) {
    case SocketType::kStream: return SOCK_STREAM;
    case SocketType::kPacket: return SOCK_SEQPACKET;
    case SocketType::kDatagram: return SOCK_DGRAM;
  }
  return SOCK_STREAM;
}

// Close-on-exec, non-blocking, and no SIGPIPE where send(2) has no MSG_NOSIGNAL.
Result<OwnFd> Prepared(OwnFd fd) {
  if (fcntl(fd.get(), F_SETFD, FD_CLOEXEC) < 0) return Error{"fcntl", errno};
  if (Status s = SetNonBlocking(fd.get()); !s.ok()) return s.error();
#ifdef SO_NOSIGPIPE
  // Fails with EINVAL when the peer has reset already; the next write then reports that.
  int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on)) < 0 && errno != EINVAL) {
    return Error{"setsockopt", errno};
  }
#endif
  return fd;
}

}  // namespace

Result<OwnFd> Socket(Family family, SocketType type, int protocol) {
  OwnFd fd(socket(FamilyFlag(family), TypeFlag(type), protocol));
  if (fd) return Prepared(std::move(fd));
  return Error{"socket", errno};
}

Result<OwnFd> Accept(int fd, SockAddr* peer) {
  for (;;) {
    OwnFd conn(accept(fd, peer->get(), peer->room()));
    if (conn) return Prepared(std::move(conn));
    if (errno != EINTR && errno != ECONNABORTED) return Error{"accept", errno};
  }
}

int MaxBacklog() {
  int max = SOMAXCONN;
  size_t size = sizeof(max);
  if (sysctlbyname("kern.ipc.somaxconn", &max, &size, nullptr, 0) < 0 || max <= 0) max = SOMAXCONN;
  return max;
}

}  // namespace spliceway::sys
