#include "socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "clock.h"
#include "fail.h"

namespace bench {
namespace {

constexpr int64_t kConnectTimeout = 5 * kSecond;

void TurnOn(int fd, int level, int option) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) < 0) FailWithErrno("setsockopt");
}

Fd NewSocket() {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) FailWithErrno("socket (see ulimit -n)");
  TurnOn(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

void Start(int fd, const sockaddr_in& to) {
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  if (connect(fd, address, sizeof to) < 0 && errno != EINPROGRESS) FailWithErrno("connect");
}

// The port is chosen when the socket connects: only then does the kernel know the whole pair, and
// may give one port to several of them.
void BindTo(int fd, int address) {
  TurnOn(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<uint32_t>(address));
  if (bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof from) < 0) FailWithErrno("bind");
}

void AwaitConnected(int fd) {
  const int64_t until = Now() + kConnectTimeout;
  pollfd wanted{fd, POLLOUT, 0};
  while (poll(&wanted, 1, 0) == 0) {
    if (Now() > until) Fail("connect: no answer from the server");
  }
  CheckConnected(fd);
}

int64_t Count(ssize_t n, const char* what) {
  if (n >= 0) return n;
  if (errno == EAGAIN || errno == EINTR) return 0;
  FailWithErrno(what);
}

}  // namespace

Fd StartConnect(const sockaddr_in& to) {
  Fd fd = NewSocket();
  Start(fd.get(), to);
  return fd;
}

Fd ConnectFrom(int address, const sockaddr_in& to) {
  Fd fd = NewSocket();
  BindTo(fd.get(), address);
  Start(fd.get(), to);
  AwaitConnected(fd.get());
  return fd;
}

void CheckConnected(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0) return;
  if (error != 0) errno = error;
  FailWithErrno("connect");
}

void ResetOnClose(int fd) {
  const linger at_once{1, 0};
  if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) < 0) {
    FailWithErrno("setsockopt");
  }
}

int64_t Receive(int fd, void* p, size_t n, int flags) {
  const ssize_t got = recv(fd, p, n, flags);
  if (got == 0) Fail("the server ended a connection");
  return Count(got, "recv");
}

int64_t Send(int fd, const void* p, size_t n) {
  return Count(send(fd, p, n, MSG_NOSIGNAL), "send");
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_.get() < 0) FailWithErrno("epoll_create1");
}

void Poller::Add(int fd, uint32_t events, uint64_t data) {
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.u64 = data;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &wanted) < 0) FailWithErrno("epoll_ctl");
}

}  // namespace bench
