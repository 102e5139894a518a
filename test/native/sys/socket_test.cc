#include "sys/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "support/descriptors.h"
#include "support/pair.h"
#include "sys/fault.h"

namespace spliceway {
namespace {

using sys::Family;
using sys::SocketType;

bool IsNonBlocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }
bool IsCloseOnExec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

TEST(Socket, IsNonBlockingAndCloseOnExecFromTheStart) {
  const struct {
    Family family;
    SocketType type;
    int domain, kind;
  } cases[] = {
      {Family::kIp4, SocketType::kStream, AF_INET, SOCK_STREAM},
      {Family::kIp4, SocketType::kDatagram, AF_INET, SOCK_DGRAM},
      {Family::kIp6, SocketType::kStream, AF_INET6, SOCK_STREAM},
      {Family::kUnix, SocketType::kStream, AF_UNIX, SOCK_STREAM},
      {Family::kUnix, SocketType::kPacket, AF_UNIX, SOCK_SEQPACKET},
      {Family::kUnix, SocketType::kDatagram, AF_UNIX, SOCK_DGRAM},
  };
  for (const auto& c : cases) {
    const auto fd = sys::Socket(c.family, c.type);
    ASSERT_TRUE(fd.ok());
    const int raw = fd.value().get();
    EXPECT_TRUE(IsNonBlocking(raw));
    EXPECT_TRUE(IsCloseOnExec(raw));
    int value = 0;
    socklen_t size = sizeof(value);
    getsockopt(raw, SOL_SOCKET, SO_DOMAIN, &value, &size);
    EXPECT_EQ(value, c.domain);
    getsockopt(raw, SOL_SOCKET, SO_TYPE, &value, &size);
    EXPECT_EQ(value, c.kind);
  }
}

TEST(Socket, SaysWhichCallFailedAndWhy) {
  const auto fd = sys::Socket(Family::kUnix, SocketType::kStream, IPPROTO_TCP);
  ASSERT_FALSE(fd.ok());
  EXPECT_STREQ(fd.error().syscall, "socket");
  EXPECT_EQ(fd.error().number, EPROTONOSUPPORT);
}

TEST(Accept, GivesNonBlockingCloseOnExecSocketsAndTheirPeer) {
  const auto listening = test::ListenTcp();
  const OwnFd client = test::DialBlocking(listening.addr);
  ASSERT_TRUE(test::AwaitReadable(listening.fd.get()));
  SockAddr peer;
  const auto conn = sys::Accept(listening.fd.get(), &peer);
  ASSERT_TRUE(conn.ok());
  EXPECT_TRUE(IsNonBlocking(conn.value().get()));
  EXPECT_TRUE(IsCloseOnExec(conn.value().get()));
  EXPECT_EQ(peer.Host(), "127.0.0.1");
  EXPECT_EQ(peer.Port(), sys::LocalAddr(client.get()).value().Port());
}

TEST(Accept, AnEmptyQueueIsTheErrorEagain) {
  const auto listening = test::ListenTcp();
  SockAddr peer;
  const auto none = sys::Accept(listening.fd.get(), &peer);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().number, EAGAIN);
}

TEST(Accept, TriesAgainAfterASignalAndAfterAPeerThatGaveUp) {
  const auto listening = test::ListenTcp();
  const OwnFd client = test::DialBlocking(listening.addr);
  ASSERT_TRUE(test::AwaitReadable(listening.fd.get()));
  sys::fault::Script script;
  script.On(sys::fault::kAccept).Then(ECONNABORTED, 2).Then(EINTR).Then(ECONNABORTED);
  SockAddr peer;
  EXPECT_TRUE(sys::Accept(listening.fd.get(), &peer).ok());
  EXPECT_TRUE(script.done());
}

TEST(Accept, ReportsAFullTable) {
  const auto listening = test::ListenTcp();
  const OwnFd client = test::DialBlocking(listening.addr);
  ASSERT_TRUE(test::AwaitReadable(listening.fd.get()));
  const test::FullTable full;
  SockAddr peer;
  const auto conn = sys::Accept(listening.fd.get(), &peer);
  ASSERT_FALSE(conn.ok());
  EXPECT_EQ(conn.error().number, EMFILE);
}

TEST(Bind, ReportsAnAddressInUse) {
  const auto listening = test::ListenTcp();
  const OwnFd fd = std::move(sys::Socket(Family::kIp4, SocketType::kStream).value());
  const Status bound = sys::Bind(fd.get(), listening.addr);
  ASSERT_FALSE(bound.ok());
  EXPECT_STREQ(bound.error().syscall, "bind");
  EXPECT_EQ(bound.error().number, EADDRINUSE);
}

TEST(Listen, ReportsASocketThatCannot) {
  const OwnFd fd = std::move(sys::Socket(Family::kIp4, SocketType::kDatagram).value());
  const Status status = sys::Listen(fd.get(), 1);
  ASSERT_FALSE(status.ok());
  EXPECT_STREQ(status.error().syscall, "listen");
  EXPECT_EQ(status.error().number, EOPNOTSUPP);
}

TEST(Connect, ToANameNobodyListensOnFailsAtOnce) {
  const OwnFd fd = std::move(sys::Socket(Family::kUnix, SocketType::kStream).value());
  const Status status = sys::Connect(fd.get(), *SockAddr::Unix("@spliceway-nobody-is-here"));
  ASSERT_FALSE(status.ok());
  EXPECT_STREQ(status.error().syscall, "connect");
  EXPECT_EQ(status.error().number, ECONNREFUSED);
}

TEST(Connect, ThatIsRefusedLeavesItsErrorForPendingErrorOnce) {
  uint16_t port;
  {
    const auto listening = test::ListenTcp();
    port = listening.addr.Port();
  }
  const OwnFd fd = std::move(sys::Socket(Family::kIp4, SocketType::kStream).value());
  const Status begun = sys::Connect(fd.get(), *SockAddr::Ip("127.0.0.1", port, 0));
  ASSERT_FALSE(begun.ok());
  ASSERT_EQ(begun.error().number, EINPROGRESS);
  ASSERT_TRUE(test::Await(fd.get(), POLLOUT));
  EXPECT_EQ(sys::PendingError(fd.get()), ECONNREFUSED);
  EXPECT_EQ(sys::PendingError(fd.get()), 0);
}

// connect(2): interrupted, it goes on by itself, and a second call would fail with EALREADY.
TEST(Connect, ThatIsInterruptedIsInProgress) {
  const auto listening = test::ListenTcp();
  const OwnFd fd = std::move(sys::Socket(Family::kIp4, SocketType::kStream).value());
  sys::fault::Script script;
  script.On(sys::fault::kConnect).Then(EINTR);
  EXPECT_EQ(sys::Connect(fd.get(), listening.addr).error().number, EINPROGRESS);
  EXPECT_TRUE(script.done());
}

TEST(PeerAddr, IsUnknownWithoutAConnection) {
  const OwnFd fd = std::move(sys::Socket(Family::kIp4, SocketType::kStream).value());
  const auto peer = sys::PeerAddr(fd.get());
  ASSERT_FALSE(peer.ok());
  EXPECT_STREQ(peer.error().syscall, "getpeername");
  EXPECT_EQ(peer.error().number, ENOTCONN);
}

TEST(PeerAddr, OfOneEndIsTheLocalAddrOfTheOther) {
  const auto pair = test::TcpPair();
  const auto peer = sys::PeerAddr(pair.near.get());
  const auto local = sys::LocalAddr(pair.far.get());
  ASSERT_TRUE(peer.ok() && local.ok());
  EXPECT_EQ(peer.value().Host(), local.value().Host());
  EXPECT_EQ(peer.value().Port(), local.value().Port());
}

TEST(Shutdown, OfTheWriteSideEndsTheOthersReading) {
  const auto pair = test::UnixPair();
  ASSERT_TRUE(sys::Shutdown(pair.near.get(), sys::ShutdownHow::kWrite).ok());
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "");
  EXPECT_TRUE(test::SendAll(pair.far.get(), "still open the other way"));
}

TEST(Shutdown, OfTheReadSideEndsItsOwnReading) {
  const auto pair = test::UnixPair();
  ASSERT_TRUE(sys::Shutdown(pair.near.get(), sys::ShutdownHow::kRead).ok());
  EXPECT_EQ(test::ReceiveSome(pair.near.get()), "");
  EXPECT_TRUE(test::SendAll(pair.near.get(), "still open the other way"));
}

TEST(Shutdown, NeedsAConnection) {
  const OwnFd fd = std::move(sys::Socket(Family::kIp4, SocketType::kStream).value());
  const Status status = sys::Shutdown(fd.get(), sys::ShutdownHow::kBoth);
  ASSERT_FALSE(status.ok());
  EXPECT_STREQ(status.error().syscall, "shutdown");
  EXPECT_EQ(status.error().number, ENOTCONN);
}

TEST(Duplicate, IsCloseOnExecAndOutlivesTheOriginal) {
  auto pair = test::UnixPair();
  const auto copy = sys::Duplicate(pair.near.get());
  ASSERT_TRUE(copy.ok());
  EXPECT_NE(copy.value().get(), pair.near.get());
  EXPECT_TRUE(IsCloseOnExec(copy.value().get()));
  pair.near.Reset();
  EXPECT_TRUE(test::SendAll(copy.value().get(), "x"));
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "x");
}

TEST(Duplicate, ReportsABadDescriptorAndAFullTable) {
  EXPECT_EQ(sys::Duplicate(-1).error().number, EBADF);
  const auto pair = test::UnixPair();
  const test::FullTable full;
  EXPECT_EQ(sys::Duplicate(pair.near.get()).error().number, EMFILE);
}

TEST(SetNonBlocking, ChangesABlockingDescriptorAndLeavesItsOtherFlags) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const OwnFd read_end(fds[0]);
  const OwnFd write_end(fds[1]);
  ASSERT_EQ(fcntl(fds[1], F_SETFL, O_APPEND), 0);
  ASSERT_TRUE(sys::SetNonBlocking(fds[1]).ok());
  EXPECT_TRUE(IsNonBlocking(fds[1]));
  EXPECT_NE(fcntl(fds[1], F_GETFL) & O_APPEND, 0);
  EXPECT_TRUE(sys::SetNonBlocking(fds[1]).ok());  // again: nothing to do
}

TEST(SetNonBlocking, ReportsABadDescriptor) {
  EXPECT_EQ(sys::SetNonBlocking(-1).error().number, EBADF);
}

TEST(Describe, SaysWhatADescriptorIs) {
  const auto unix_pair = test::UnixPair(SocketType::kPacket);
  auto described = sys::Describe(unix_pair.near.get());
  ASSERT_TRUE(described.ok());
  EXPECT_EQ(described.value().family, Family::kUnix);
  EXPECT_EQ(described.value().type, SocketType::kPacket);
  EXPECT_FALSE(described.value().listening);
  const auto listening = test::ListenTcp();
  described = sys::Describe(listening.fd.get());
  ASSERT_TRUE(described.ok());
  EXPECT_EQ(described.value().family, Family::kIp4);
  EXPECT_EQ(described.value().type, SocketType::kStream);
  EXPECT_TRUE(described.value().listening);
}

TEST(Describe, FailsAsGoDoes) {
  const auto closed = sys::Describe(1'000'000);
  EXPECT_EQ(closed.error().number, EBADF);
  EXPECT_STREQ(closed.error().syscall, "fcntl");
  const auto file = sys::Describe(sys::OpenReserve().value().get());
  EXPECT_EQ(file.error().number, ENOTSOCK);
  EXPECT_STREQ(file.error().syscall, "getsockopt");
}

TEST(OpenReserve, GivesADescriptorThatIsCloseOnExec) {
  const auto reserve = sys::OpenReserve();
  ASSERT_TRUE(reserve.ok());
  EXPECT_TRUE(IsCloseOnExec(reserve.value().get()));
}

TEST(OpenReserve, ReportsAFullTable) {
  const test::FullTable full;
  const auto reserve = sys::OpenReserve();
  ASSERT_FALSE(reserve.ok());
  EXPECT_EQ(reserve.error().number, EMFILE);
}

TEST(MaxBacklog, IsTheSystemsSomaxconn) {
  int somaxconn = 0;
  std::ifstream("/proc/sys/net/core/somaxconn") >> somaxconn;
  EXPECT_EQ(sys::MaxBacklog(), somaxconn);
}

TEST(MaxBacklog, FallsBackToTheConstantWhereTheSystemDoesNotSay) {
  const test::FullTable full;
  EXPECT_EQ(sys::MaxBacklog(), SOMAXCONN);
}

}  // namespace
}  // namespace spliceway
