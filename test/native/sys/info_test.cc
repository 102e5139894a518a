#include "sys/info.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "support/pair.h"

namespace spliceway::sys {
namespace {

// The fact of that name; -1 where there is none.
double Number(const Facts& facts, std::string_view name) {
  for (const Fact& fact : facts) {
    if (fact.name == name) return fact.value;
  }
  return -1;
}

std::string Text(const Facts& facts, std::string_view name) {
  for (const Fact& fact : facts) {
    if (fact.name == name && fact.text != nullptr) return fact.text;
  }
  return "";
}

TEST(Info, OfATcpConnection) {
  auto pair = test::TcpPair();
  ASSERT_TRUE(test::SendAll(pair.near.get(), "12345"));
  ASSERT_EQ(test::ReceiveSome(pair.far.get()), "12345");
  const auto info = TcpInfo(pair.near.get());
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(Text(info.value(), "state"), "established");
  EXPECT_GT(Number(info.value(), "rtt"), 0);
  EXPECT_LT(Number(info.value(), "rtt"), 1000);  // milliseconds
  EXPECT_GT(Number(info.value(), "congestionWindow"), 0);
  pair.far.Reset();
  ASSERT_TRUE(test::AwaitReadable(pair.near.get()));
  EXPECT_EQ(Text(TcpInfo(pair.near.get()).value(), "state"), "close-wait");
}

TEST(Info, OfWhatIsNoTcpConnection) {
  EXPECT_EQ(TcpInfo(-1).error().number, EBADF);
  EXPECT_FALSE(TcpInfo(test::UnixPair().near.get()).ok());
  EXPECT_EQ(QueueInfo(-1).error().number, EBADF);
}

TEST(Info, OfQueues) {
  for (const auto& pair : {test::TcpPair(), test::UnixPair()}) {
    ASSERT_TRUE(test::SendAll(pair.near.get(), "123"));
    ASSERT_TRUE(test::AwaitReadable(pair.far.get()));
    EXPECT_EQ(Number(QueueInfo(pair.far.get()).value(), "unread"), 3);
    EXPECT_GE(Number(QueueInfo(pair.near.get()).value(), "unsent"), 0);
  }
}

TEST(Info, OfAListener) {
  for (const auto& listening : {test::ListenTcp(5), test::ListenUnix(5)}) {
    const OwnFd client = test::DialBlocking(listening.addr);
    ASSERT_TRUE(test::AwaitReadable(listening.fd.get()));
    const auto info = ListenInfo(listening.fd.get());
    ASSERT_TRUE(info.ok());
    if (Number(info.value(), "backlog") < 0) continue;  // this kernel does not tell
    EXPECT_EQ(Number(info.value(), "backlog"), 5);
    EXPECT_EQ(Number(info.value(), "queued"), 1);
  }
}

}  // namespace
}  // namespace spliceway::sys
