#include "support/pair.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "sys/sockopt.h"

namespace spliceway::test {
namespace {

Listening ListenOn(sys::Family family, const SockAddr& addr, int backlog) {
  Listening out;
  out.fd = std::move(sys::Socket(family, sys::SocketType::kStream).value());
  EXPECT_TRUE(sys::Bind(out.fd.get(), addr).ok());
  EXPECT_TRUE(sys::Listen(out.fd.get(), backlog).ok());
  out.addr = sys::LocalAddr(out.fd.get()).value();
  return out;
}

}  // namespace

Listening ListenTcp(int backlog) {
  return ListenOn(sys::Family::kIp4, *SockAddr::Ip("127.0.0.1", 0, 0), backlog);
}

Listening ListenUnix(int backlog) {
  return ListenOn(sys::Family::kUnix, *SockAddr::Unix(""), backlog);
}

OwnFd DialBlocking(const SockAddr& addr) {
  const auto family = addr.is_ip() ? sys::Family::kIp4 : sys::Family::kUnix;
  OwnFd fd = std::move(sys::Socket(family, sys::SocketType::kStream).value());
  const Status begun = sys::Connect(fd.get(), addr);
  EXPECT_TRUE(begun.ok() || begun.error().number == EINPROGRESS);
  EXPECT_TRUE(Await(fd.get(), POLLOUT));
  EXPECT_EQ(sys::PendingError(fd.get()), 0);
  return fd;
}

Pair TcpPair() {
  const Listening listening = ListenTcp();
  OwnFd near = DialBlocking(listening.addr);
  EXPECT_TRUE(AwaitReadable(listening.fd.get()));
  SockAddr peer;
  return {std::move(near), std::move(sys::Accept(listening.fd.get(), &peer).value())};
}

Pair UnixPair(sys::SocketType type) {
  const int kind = type == sys::SocketType::kPacket     ? SOCK_SEQPACKET
                   : type == sys::SocketType::kDatagram ? SOCK_DGRAM
                                                        : SOCK_STREAM;
  int fds[2];
  EXPECT_EQ(socketpair(AF_UNIX, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {OwnFd(fds[0]), OwnFd(fds[1])};
}

bool Await(int fd, short events, int timeout_ms) {
  pollfd p{fd, events, 0};
  int n;
  do n = poll(&p, 1, timeout_ms);
  while (n < 0 && errno == EINTR);
  return n == 1;
}

bool SendAll(int fd, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    if (!Await(fd, POLLOUT)) return false;
    const ssize_t n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return false;
    if (n > 0) sent += static_cast<size_t>(n);
  }
  return true;
}

std::string ReceiveSome(int fd) {
  EXPECT_TRUE(AwaitReadable(fd));
  char p[4096];
  const ssize_t n = recv(fd, p, sizeof(p), 0);
  return std::string(p, n > 0 ? static_cast<size_t>(n) : 0);
}

size_t FillUp(int fd) {
  const std::vector<char> block(64 * 1024, 'x');
  size_t sent = 0;
  for (;;) {
    const ssize_t n = send(fd, block.data(), block.size(), MSG_NOSIGNAL);
    if (n < 0) return sent;
    sent += static_cast<size_t>(n);
  }
}

size_t DrainAtLeast(int fd, size_t at_least) {
  std::vector<char> block(64 * 1024);
  size_t got = 0;
  while (got < at_least && AwaitReadable(fd)) {
    const ssize_t n = recv(fd, block.data(), block.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) break;
    if (n > 0) got += static_cast<size_t>(n);
  }
  return got;
}

void Reset(OwnFd fd) { EXPECT_TRUE(sys::SetLinger(fd.get(), 0).ok()); }

}  // namespace spliceway::test
