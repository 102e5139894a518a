// What is alike on Linux and the BSDs; the rest is in socket_linux.cc and socket_bsd.cc.
#include "sys/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "sys/call.h"
#include "sys/sockopt.h"

namespace spliceway {

void OwnFd::Reset(int fd) {
  // EINTR and EIO leave the descriptor closed on every system we run on; there is nothing to do.
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

namespace sys {

Status Bind(int fd, const SockAddr& addr) {
  if (bind(fd, addr.get(), addr.size()) == 0) return {};
  return Error{"bind", errno};
}

Status Listen(int fd, int backlog) {
  if (listen(fd, backlog) == 0) return {};
  return Error{"listen", errno};
}

Status Connect(int fd, const SockAddr& addr) {
  // EINTR is not retried: the connect goes on in the background exactly as after EINPROGRESS.
  if (call::connect(fd, addr.get(), addr.size()) == 0) return {};
  return Error{"connect", errno == EINTR ? EINPROGRESS : errno};
}

int PendingError(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
  return error;
}

Status Shutdown(int fd, ShutdownHow how) {
  const int flag = how == ShutdownHow::kRead    ? SHUT_RD
                   : how == ShutdownHow::kWrite ? SHUT_WR
                                                : SHUT_RDWR;
  if (shutdown(fd, flag) == 0) return {};
  return Error{"shutdown", errno};
}

namespace {

SocketType ToType(int flag) {
  switch (flag) {
    case SOCK_SEQPACKET: return SocketType::kPacket;
    case SOCK_DGRAM: return SocketType::kDatagram;
    case SOCK_RAW: return SocketType::kRaw;
  }
  return SocketType::kStream;
}

int ToFamily(int family) {
  switch (family) {
    case AF_INET: return 4;
    case AF_INET6: return 6;
    case AF_UNIX: return 1;
  }
  return 0;
}

}  // namespace

Result<Description> Describe(int fd) {
  const auto type = GetInt(fd, SOL_SOCKET, SO_TYPE);
  if (!type.ok()) return type.error();
  const auto local = LocalAddr(fd);
  if (!local.ok()) return local.error();
#ifdef SO_PROTOCOL
  const auto protocol = GetInt(fd, SOL_SOCKET, SO_PROTOCOL);
#else
  const Result<int> protocol = 0;
#endif
  return Description{ToType(type.value()), ToFamily(local.value().family()),
                     protocol.ok() ? protocol.value() : 0};
}

Result<SockAddr> LocalAddr(int fd) {
  SockAddr addr;
  if (getsockname(fd, addr.get(), addr.room()) == 0) return addr;
  return Error{"getsockname", errno};
}

Result<SockAddr> PeerAddr(int fd) {
  SockAddr addr;
  if (getpeername(fd, addr.get(), addr.room()) == 0) return addr;
  return Error{"getpeername", errno};
}

Result<OwnFd> Duplicate(int fd) {
  OwnFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (copy) return copy;
  return Error{"fcntl", errno};
}

Status SetNonBlocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return Error{"fcntl", errno};
  if ((flags & O_NONBLOCK) != 0) return {};
  if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return Error{"fcntl", errno};
  return {};
}

Result<OwnFd> OpenReserve() {
  OwnFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (fd) return fd;
  return Error{"open", errno};
}

}  // namespace sys
}  // namespace spliceway
