#include "sys/linger.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdint>
#include <string>
#include <vector>

#include "support/descriptors.h"
#include "support/pair.h"
#include "sys/clock.h"
#include "sys/sockopt.h"

namespace spliceway::sys {
namespace {

constexpr int kSeconds = 30;
constexpr int64_t kSecond = 1'000'000'000;

// A connection that has more to deliver than the other end takes; how much.
test::Pair Stuck(size_t* sent) {
  auto pair = test::TcpPair();
  *sent = test::FillUp(pair.near.get());
  EXPECT_TRUE(SetLinger(pair.near.get(), kSeconds).ok());
  return pair;
}

TEST(Linger, OnlyATimeAboveZeroWaits) {
  const auto pair = test::TcpPair();
  EXPECT_FALSE(Lingers(pair.near.get()));
  EXPECT_TRUE(SetLinger(pair.near.get(), 0).ok());
  EXPECT_FALSE(Lingers(pair.near.get()));
  EXPECT_TRUE(SetLinger(pair.near.get(), 1).ok());
  EXPECT_TRUE(Lingers(pair.near.get()));
  EXPECT_FALSE(Lingers(-1));
}

TEST(Linger, ClosesWithoutWaitingAndDeliversAll) {
  size_t sent = 0;
  auto pair = Stuck(&sent);
  const int number = pair.near.get();
  const int64_t began = MonotonicNow();
  CloseLingering(std::move(pair.near));
  EXPECT_LT(MonotonicNow() - began, 5 * kSecond);
  EXPECT_EQ(test::DrainAtLeast(pair.far.get(), sent), sent);
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "");  // the end: no reset
  EXPECT_EQ(test::OpenDescriptors().count(number), 0u);
}

TEST(Linger, PastTheMostThatMayWaitTheKernelGoesOnAlone) {
  std::vector<test::Pair> pairs;
  size_t sent = 0;
  for (int i = 0; i < kLingeringAtMost + 2; ++i) {
    pairs.push_back(Stuck(&sent));
    CloseLingering(std::move(pairs.back().near));
  }
  // The last was closed before the call returned.
  EXPECT_EQ(test::DrainAtLeast(pairs.back().far.get(), sent), sent);
  EXPECT_EQ(test::ReceiveSome(pairs.back().far.get()), "");
}

}  // namespace
}  // namespace spliceway::sys
