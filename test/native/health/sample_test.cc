// A Monitor of a plain stream: fed with what the kernel knows, it sends nothing.
#include <gtest/gtest.h>

#include "health/heartbeats.h"

namespace spliceway {
namespace {

class PlainStream : public testing::Test {
 protected:
  // Looks when it is time to, until `end`, and sees `sample`, whose heard_ago grows.
  void Run(PathSample sample, int64_t span) {
    const int64_t heard = now_ - sample.heard_ago;
    for (const int64_t end = now_ + span; monitor_.NextDue() <= end;) {
      now_ = std::max(now_, monitor_.NextDue());
      ASSERT_TRUE(monitor_.Advance(now_).ping);
      ++looks_;
      sample.heard_ago = now_ - heard;
      monitor_.OnSample(sample, now_);
    }
  }

  int64_t now_ = 1000 * kSecond;
  Monitor monitor_{std::make_shared<const HealthOptions>(), now_, 1};
  int looks_ = 0;
};

TEST_F(PlainStream, ThatIsIdleIsNotIll) {
  Run({}, 3600 * kSecond);
  EXPECT_EQ(monitor_.health(), Health::kHealthy);
  EXPECT_NEAR(looks_, 3600 / 4.75, 40);
  EXPECT_FALSE(monitor_.has_transitions());
}

TEST_F(PlainStream, ThatIsOverdueDegradesAndIsLostInTime) {
  Run({.rtt = kMs}, 60 * kSecond);
  const int64_t heard = now_;
  Run({.awaiting = true, .overdue = true}, 60 * kSecond);
  EXPECT_EQ(monitor_.health(), Health::kLost);
  EXPECT_LE(now_ - heard, 13 * kSecond);
  const auto transitions = monitor_.TakeTransitions();
  ASSERT_EQ(transitions.size(), 2U);
  EXPECT_EQ(Words(transitions[0]),
            "at 3 looks in a row the peer had not acknowledged what it was sent");
}

TEST_F(PlainStream, ThatWasQuietForLongIsNotLostForThatWhenDataIsUnderWay) {
  Run({.heard_ago = 3600 * kSecond}, 20 * kSecond);
  Run({.awaiting = true, .heard_ago = 3600 * kSecond}, 4 * kSecond);
  EXPECT_EQ(monitor_.health(), Health::kHealthy);
}

TEST_F(PlainStream, ThatIsAcknowledgedAgainHeals) {
  Run({.rtt = kMs}, 60 * kSecond);
  Run({.awaiting = true, .overdue = true}, 7 * kSecond);
  EXPECT_EQ(monitor_.health(), Health::kDegraded);
  Run({.rtt = kMs}, 2 * kSecond);
  EXPECT_EQ(monitor_.health(), Health::kHealthy);
}

TEST_F(PlainStream, WithManyRetransmissionsIsLookedAtMoreOften) {
  Run({.rtt = kMs, .sent = 1000, .resent = 50}, 20 * kSecond);
  EXPECT_TRUE(monitor_.figures().probing);
  EXPECT_NEAR(monitor_.figures().loss, 0.05, 0.001);
  const int before = looks_;
  Run({.rtt = kMs, .sent = 1000, .resent = 50}, 20 * kSecond);
  EXPECT_GE(looks_ - before, 19);
}

TEST_F(PlainStream, ThatTheKernelGaveUpIsLostAtOnce) {
  Run({.rtt = kMs}, 60 * kSecond);
  Run({.gone = true}, 6 * kSecond);
  EXPECT_EQ(monitor_.health(), Health::kLost);
  EXPECT_EQ(Words(monitor_.TakeTransitions().back()),
            "the connection was reset, or given up by the kernel");
}

TEST_F(PlainStream, WhoseRoundTripsDeviateHasALongerReplyTimeout) {
  Run({.rtt = 400 * kMs, .deviation = 150 * kMs}, 60 * kSecond);
  EXPECT_EQ(monitor_.reply_timeout(), 1000 * kMs);
}

TEST_F(PlainStream, LookedAtLateCountsNoMiss) {
  Run({.rtt = kMs}, 60 * kSecond);
  for (int i = 0; i < 5; ++i) {
    now_ = monitor_.NextDue() + 10 * kSecond;
    ASSERT_TRUE(monitor_.Advance(now_).ping);
    monitor_.OnSample({.awaiting = true, .overdue = true, .heard_ago = 0}, now_);
  }
  EXPECT_EQ(monitor_.figures().missed, 0U);
  EXPECT_EQ(monitor_.health(), Health::kHealthy);
}

}  // namespace
}  // namespace spliceway
