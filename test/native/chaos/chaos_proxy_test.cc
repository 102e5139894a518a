// Whole proxies, on their threads, between sockets of the test.
#include "chaos/chaos_proxy.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>

#include "support/descriptors.h"
#include "support/pair.h"
#include "sys/clock.h"
#include "sys/io.h"

namespace spliceway {
namespace {

constexpr int64_t kMs = 1'000'000;

// A proxy, a client of it, and what the target has accepted.
class Path {
 public:
  explicit Path(const Impairment& to_target = {}, const Impairment& to_client = {}) {
    auto started = ChaosProxy::Start({front_.fd.get(), back_.addr, 1});
    EXPECT_TRUE(started.ok());
    proxy = std::move(started.value());
    proxy->SetImpairment(0, to_target);
    proxy->SetImpairment(1, to_client);
    proxy->Begin();
    client = test::DialBlocking(front_.addr);
    EXPECT_TRUE(test::AwaitReadable(back_.fd.get()));
    SockAddr peer;
    auto accepted = sys::Accept(back_.fd.get(), &peer);
    EXPECT_TRUE(accepted.ok());
    target = std::move(accepted.value());
  }

 private:
  test::Listening front_ = test::ListenTcp();
  test::Listening back_ = test::ListenTcp();

 public:
  std::unique_ptr<ChaosProxy> proxy;
  OwnFd client;
  OwnFd target;
};

int64_t ReadError(int fd) {
  EXPECT_TRUE(test::AwaitReadable(fd));
  char byte;
  return sys::Receive(fd, &byte, 1);
}

TEST(ChaosProxy, PassesBytesAndEndsBothWays) {
  Path path;
  ASSERT_TRUE(test::SendAll(path.client.get(), "ping"));
  EXPECT_EQ(test::ReceiveSome(path.target.get()), "ping");
  ASSERT_TRUE(test::SendAll(path.target.get(), "pong"));
  EXPECT_EQ(test::ReceiveSome(path.client.get()), "pong");
  ASSERT_TRUE(sys::Shutdown(path.client.get(), sys::ShutdownHow::kWrite).ok());
  EXPECT_EQ(test::ReceiveSome(path.target.get()), "");
  ASSERT_TRUE(test::SendAll(path.target.get(), "still"));
  EXPECT_EQ(test::ReceiveSome(path.client.get()), "still");
}

TEST(ChaosProxy, IsNeverEarly) {
  Path path({.delay_ns = 30 * kMs}, {.delay_ns = 20 * kMs});
  const int64_t began = MonotonicNow();
  ASSERT_TRUE(test::SendAll(path.client.get(), "ping"));
  EXPECT_EQ(test::ReceiveSome(path.target.get()), "ping");
  EXPECT_GE(MonotonicNow() - began, 30 * kMs);
  ASSERT_TRUE(test::SendAll(path.target.get(), "pong"));
  EXPECT_EQ(test::ReceiveSome(path.client.get()), "pong");
  EXPECT_GE(MonotonicNow() - began, 50 * kMs);
}

TEST(ChaosProxy, ABlackHoleHoldsWhatIsInItAndLosesNothing) {
  Path path({.black_hole = true});
  ASSERT_TRUE(test::SendAll(path.client.get(), "held"));
  ASSERT_TRUE(test::SendAll(path.target.get(), "not held"));
  EXPECT_EQ(test::ReceiveSome(path.client.get()), "not held");
  EXPECT_FALSE(test::IsReadable(path.target.get()));
  path.proxy->SetImpairment(0, {});
  EXPECT_EQ(test::ReceiveSome(path.target.get()), "held");
}

TEST(ChaosProxy, ABlackHoleThatIsFullWaits) {
  Path path({.black_hole = true});
  size_t sent = 0;
  do {
    sent += test::FillUp(path.client.get());
  } while (test::Await(path.client.get(), POLLOUT, 100));
  ASSERT_GT(sent, DelayLine::kCapacity);
  const auto switches = [] {
    rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_nvcsw : -1;
  };
  const auto before = switches();
  EXPECT_FALSE(test::Await(path.target.get(), POLLIN, 200));
  EXPECT_LT(switches() - before, 50) << "the thread wakes up for nothing";
  path.proxy->SetImpairment(0, {});
  EXPECT_EQ(test::DrainAtLeast(path.target.get(), sent), sent);
}

TEST(ChaosProxy, PassesAResetOn) {
  Path path;
  test::Reset(std::move(path.client));
  EXPECT_EQ(ReadError(path.target.get()), -ECONNRESET);
}

TEST(ChaosProxy, ResetsBothSides) {
  Path path;
  path.proxy->ResetAll();
  EXPECT_EQ(ReadError(path.client.get()), -ECONNRESET);
  EXPECT_EQ(ReadError(path.target.get()), -ECONNRESET);
}

TEST(ChaosProxy, WritesInSlicesThatAddUp) {
  Path path({.slice = 7});
  const std::string sent(5000, 's');
  ASSERT_TRUE(test::SendAll(path.client.get(), sent));
  EXPECT_EQ(test::DrainAtLeast(path.target.get(), sent.size()), sent.size());
}

TEST(ChaosProxy, LeavesNoDescriptorBehind) {
  const auto before = test::OpenDescriptors();
  {
    Path path({.delay_ns = 1000 * kMs});
    ASSERT_TRUE(test::SendAll(path.client.get(), "on its way"));
  }
  EXPECT_EQ(test::OpenDescriptors(), before);
}

TEST(ChaosProxy, ResetsAClientWhoseTargetRefuses) {
  const auto front = test::ListenTcp();
  SockAddr refusing;
  { refusing = test::ListenTcp().addr; }
  auto proxy = std::move(ChaosProxy::Start({front.fd.get(), refusing, 1}).value());
  const OwnFd client = test::DialBlocking(front.addr);  // before it may be reset
  proxy->Begin();
  EXPECT_EQ(ReadError(client.get()), -ECONNRESET);
  EXPECT_EQ(proxy->counters().failed, 1u);
}

}  // namespace
}  // namespace spliceway
