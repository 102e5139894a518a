// What is alike on Linux and the BSDs; the rest is in socket_linux.cc and socket_bsd.cc.
#include "sys/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
namespace {

std::optional<Family> FamilyOf(const SockAddr& addr) {
  switch (addr.family()) {
    case AF_INET: return Family::kIp4;
    case AF_INET6: return Family::kIp6;
    case AF_UNIX: return Family::kUnix;
    default: return std::nullopt;
  }
}

std::optional<SocketType> TypeOf(int number) {
  switch (number) {
    case SOCK_STREAM: return SocketType::kStream;
    case SOCK_SEQPACKET: return SocketType::kPacket;
    case SOCK_DGRAM: return SocketType::kDatagram;
    case SOCK_RAW: return SocketType::kRaw;
    default: return std::nullopt;
  }
}

}  // namespace

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

Status SetCloseOnExec(int fd) {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) return {};
  return Error{"fcntl", errno};
}

Result<Description> Describe(int fd) {
  if (fcntl(fd, F_GETFD) < 0) return Error{"fcntl", errno};
  const auto type = GetInt(fd, SOL_SOCKET, SO_TYPE);
  if (!type.ok()) return type.error();
  const auto local = LocalAddr(fd);
  if (!local.ok()) return local.error();
  const auto listening = GetInt(fd, SOL_SOCKET, SO_ACCEPTCONN);
  // Sockets that cannot listen may not know the option either.
  return Description{FamilyOf(local.value()), TypeOf(type.value()),
                     listening.ok() && listening.value() != 0};
}

bool IsFifo(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

Result<OwnFd> OpenReserve() {
  OwnFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (fd) return fd;
  return Error{"open", errno};
}

}  // namespace sys
}  // namespace spliceway
