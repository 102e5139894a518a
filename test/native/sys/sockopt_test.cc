#include "sys/sockopt.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

#include "support/pair.h"
#include "sys/option_numbers.h"
#include "sys/socket.h"

namespace spliceway::sys {
namespace {

class Option : public testing::Test {
 protected:
  int fd() const { return fd_.get(); }
  int Get(int level, int name) const { return GetInt(fd(), level, name).value(); }

 private:
  OwnFd fd_ = std::move(Socket(Family::kIp4, SocketType::kStream).value());
};

TEST_F(Option, ReuseAddrAndReusePortAreOffUntilSet) {
  EXPECT_EQ(Get(SOL_SOCKET, SO_REUSEADDR), 0);
  EXPECT_EQ(Get(SOL_SOCKET, SO_REUSEPORT), 0);
  EXPECT_TRUE(SetReuseAddr(fd()).ok());
  EXPECT_TRUE(SetReusePort(fd()).ok());
  EXPECT_EQ(Get(SOL_SOCKET, SO_REUSEADDR), 1);
  EXPECT_EQ(Get(SOL_SOCKET, SO_REUSEPORT), 1);
}

TEST_F(Option, SwitchesGoOnAndOff) {
  const struct {
    Status (*set)(int, bool);
    int level, name;
  } cases[] = {{SetNoDelay, IPPROTO_TCP, TCP_NODELAY},
               {SetKeepAlive, SOL_SOCKET, SO_KEEPALIVE},
               {SetBroadcast, SOL_SOCKET, SO_BROADCAST}};
  for (const auto& c : cases) {
    EXPECT_TRUE(c.set(fd(), true).ok());
    EXPECT_NE(Get(c.level, c.name), 0);
    EXPECT_TRUE(c.set(fd(), false).ok());
    EXPECT_EQ(Get(c.level, c.name), 0);
  }
}

TEST_F(Option, V6OnlyIsForIp6Sockets) {
  const OwnFd v6 = std::move(Socket(Family::kIp6, SocketType::kStream).value());
  EXPECT_TRUE(SetV6Only(v6.get(), true).ok());
  EXPECT_EQ(GetInt(v6.get(), IPPROTO_IPV6, IPV6_V6ONLY).value(), 1);
  EXPECT_TRUE(SetV6Only(v6.get(), false).ok());
  EXPECT_EQ(GetInt(v6.get(), IPPROTO_IPV6, IPV6_V6ONLY).value(), 0);
  EXPECT_FALSE(SetV6Only(fd(), true).ok());
}

TEST_F(Option, KeepAliveConfigIsInSeconds) {
  EXPECT_TRUE(SetKeepAliveConfig(fd(), {11, 12, 13}).ok());
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_KEEPIDLE), 11);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_KEEPINTVL), 12);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_KEEPCNT), 13);
}

TEST_F(Option, KeepAliveConfigLeavesNegativeFieldsAlone) {
  ASSERT_TRUE(SetKeepAliveConfig(fd(), {11, 12, 13}).ok());
  EXPECT_TRUE(SetKeepAliveConfig(fd(), {-1, 22, -1}).ok());
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_KEEPIDLE), 11);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_KEEPINTVL), 22);
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_KEEPCNT), 13);
}

TEST_F(Option, KeepAliveConfigReportsWhatTheKernelRefuses) {
  const Status status = SetKeepAliveConfig(fd(), {-1, -1, 1000});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().number, EINVAL);
}

linger GetLinger(int fd) {
  linger value{};
  socklen_t size = sizeof(value);
  EXPECT_EQ(getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size), 0);
  return value;
}

TEST_F(Option, LingerTellsNeverZeroAndSecondsApart) {
  EXPECT_TRUE(SetLinger(fd(), 7).ok());
  EXPECT_NE(GetLinger(fd()).l_onoff, 0);
  EXPECT_EQ(GetLinger(fd()).l_linger, 7);
  EXPECT_TRUE(SetLinger(fd(), 0).ok());
  EXPECT_NE(GetLinger(fd()).l_onoff, 0);
  EXPECT_EQ(GetLinger(fd()).l_linger, 0);
  EXPECT_TRUE(SetLinger(fd(), -1).ok());
  EXPECT_EQ(GetLinger(fd()).l_onoff, 0);
}

TEST_F(Option, LingerOfZeroResetsThePeer) {
  auto pair = test::TcpPair();
  test::Reset(std::move(pair.near));
  ASSERT_TRUE(test::AwaitReadable(pair.far.get()));
  EXPECT_EQ(PendingError(pair.far.get()), ECONNRESET);
}

TEST_F(Option, BufferSizesAreAtLeastWhatWasAsked) {
  EXPECT_TRUE(SetReadBuffer(fd(), 32 * 1024).ok());
  EXPECT_TRUE(SetWriteBuffer(fd(), 48 * 1024).ok());
  EXPECT_GE(Get(SOL_SOCKET, SO_RCVBUF), 32 * 1024);
  EXPECT_GE(Get(SOL_SOCKET, SO_SNDBUF), 48 * 1024);
}

TEST_F(Option, UserTimeoutIsInMilliseconds) {
  EXPECT_TRUE(SetUserTimeout(fd(), 1234).ok());
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_USER_TIMEOUT), 1234);
  EXPECT_TRUE(SetUserTimeout(fd(), 0).ok());
  EXPECT_EQ(Get(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

TEST_F(Option, BytesAreThoseOfTheStruct) {
  const linger set{1, 9};
  const std::span bytes(reinterpret_cast<const uint8_t*>(&set), sizeof(set));
  ASSERT_TRUE(SetBytes(fd(), SOL_SOCKET, SO_LINGER, bytes).ok());
  uint8_t got[64];
  const auto size = GetBytes(fd(), SOL_SOCKET, SO_LINGER, got);
  ASSERT_TRUE(size.ok());
  EXPECT_EQ(size.value(), sizeof(linger));
  EXPECT_EQ(std::memcmp(got, &set, sizeof(set)), 0);
  EXPECT_TRUE(SetLinger(fd(), -1).ok());
}

TEST_F(Option, NumbersAreKnownByName) {
  const auto named = [](std::string_view name) {
    for (const auto& each : OptionNumbers()) {
      if (each.name == name) return each.number;
    }
    return -1;
  };
  EXPECT_EQ(named("SOL_SOCKET"), SOL_SOCKET);
  EXPECT_EQ(named("SO_REUSEADDR"), SO_REUSEADDR);
  EXPECT_EQ(named("IPV6_V6ONLY"), IPV6_V6ONLY);
  EXPECT_EQ(named("nothing"), -1);
}

TEST_F(Option, ErrorsNameTheCall) {
  EXPECT_STREQ(GetBytes(-1, SOL_SOCKET, SO_TYPE, {}).error().syscall, "getsockopt");
  EXPECT_STREQ(SetBytes(-1, SOL_SOCKET, SO_TYPE, {}).error().syscall, "setsockopt");
  EXPECT_STREQ(SetNoDelay(-1, true).error().syscall, "setsockopt");
  EXPECT_EQ(SetNoDelay(-1, true).error().number, EBADF);
  EXPECT_EQ(SetLinger(-1, 0).error().number, EBADF);
  EXPECT_STREQ(GetInt(-1, SOL_SOCKET, SO_TYPE).error().syscall, "getsockopt");
  EXPECT_EQ(GetInt(-1, SOL_SOCKET, SO_TYPE).error().number, EBADF);
}

}  // namespace
}  // namespace spliceway::sys
