// macOS has neither SOCK_NONBLOCK nor accept4: there the flags follow in calls of their own. Node's
// child_process takes the fork lock of its own runtime, not ours: the window in which a descriptor
// could leak into a child is the one libuv has on that system.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sys/socket.h"
#include "sys/socket_flags.h"

namespace spliceway::sys {
namespace {

#ifdef SOCK_CLOEXEC
constexpr int kCreationFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
#else
constexpr int kCreationFlags = 0;
#endif

int AcceptCall(int fd, SockAddr* peer) {
#ifdef SOCK_CLOEXEC
  return accept4(fd, peer->get(), peer->room(), kCreationFlags);
#else
  return accept(fd, peer->get(), peer->room());
#endif
}

// Close-on-exec, non-blocking, and no SIGPIPE where send(2) has no MSG_NOSIGNAL.
Result<OwnFd> Prepared(OwnFd fd) {
  if (kCreationFlags == 0) {
    if (fcntl(fd.get(), F_SETFD, FD_CLOEXEC) < 0) return Error{"fcntl", errno};
    if (Status s = SetNonBlocking(fd.get()); !s.ok()) return s.error();
  }
#ifdef SO_NOSIGPIPE
  // Fails with EINVAL when the peer has reset already; the next write then reports that.
  int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on)) < 0 && errno != EINVAL) {
    return Error{"setsockopt", errno};
  }
#endif
  return fd;
}

bool ReadMaxBacklog(int* max) {
  size_t size = sizeof(*max);
#ifdef __OpenBSD__
  const int name[] = {CTL_KERN, KERN_SOMAXCONN};
  return sysctl(name, 2, max, &size, nullptr, 0) == 0;
#else
  return sysctlbyname("kern.ipc.somaxconn", max, &size, nullptr, 0) == 0;
#endif
}

}  // namespace

Result<OwnFd> Socket(Family family, SocketType type, int protocol) {
  OwnFd fd(socket(FamilyFlag(family), TypeFlag(type) | kCreationFlags, protocol));
  if (fd) return Prepared(std::move(fd));
  return Error{"socket", errno};
}

Result<OwnFd> Accept(int fd, SockAddr* peer) {
  for (;;) {
    OwnFd conn(AcceptCall(fd, peer));
    if (conn) return Prepared(std::move(conn));
    if (errno != EINTR && errno != ECONNABORTED) return Error{"accept", errno};
  }
}

int MaxBacklog() {
  int max = 0;
  if (!ReadMaxBacklog(&max) || max <= 0) max = SOMAXCONN;
  return std::min(max, 0xffff);  // kept in sixteen bits on FreeBSD; as Go, which assumes it of all
}

}  // namespace spliceway::sys
