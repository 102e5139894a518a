#include "health/monitor.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>

#include "health/heartbeats.h"

namespace spliceway {
namespace {

using States = std::vector<Health>;

HealthOptions Every(int64_t interval) {
  HealthOptions options;
  options.interval = interval;
  return options;
}

TEST(Monitor, AsksForAPingInEachIntervalEarlierByItsJitter) {
  Heartbeats beats;
  beats.Run(1000 * kSecond);
  ASSERT_GE(beats.pinged_at.size(), 200U);
  int64_t least = kNever;
  int64_t most = 0;
  for (size_t i = 1; i < beats.pinged_at.size(); ++i) {
    const int64_t pause = beats.pinged_at[i] - beats.pinged_at[i - 1];
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_GE(least, 4500 * kMs);
  EXPECT_LT(least, 4600 * kMs);
  EXPECT_GT(most, 4900 * kMs);
  EXPECT_LE(most, 5000 * kMs);
  EXPECT_TRUE(beats.transitions.empty());
  EXPECT_EQ(beats.monitor.figures().missed, 0U);
}

TEST(Monitor, ConnectionsThatBeganTogetherDoNotPingTogether) {
  std::vector<int64_t> first;
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    Heartbeats beats({}, seed * 2654435761U);
    beats.RunPings(2);
    first.push_back(beats.pinged_at.back());
  }
  std::sort(first.begin(), first.end());
  EXPECT_GT(first.back() - first.front(), 300 * kMs);
  EXPECT_EQ(std::unique(first.begin(), first.end()), first.end());
}

TEST(Monitor, PingsAreRarerWhereRoundTripsAreLong) {
  Heartbeats beats(Every(20 * kMs));
  beats.Answer(300 * kMs);
  beats.RunPings(50);
  const size_t n = beats.pinged_at.size();
  const int64_t pause = (beats.pinged_at[n - 1] - beats.pinged_at[n - 21]) / 20;
  EXPECT_GT(pause, 500 * kMs);
  EXPECT_LE(pause, 600 * kMs);
}

TEST(Monitor, TheReplyTimeoutIsOnePointFiveMedians) {
  Heartbeats beats;
  beats.Answer(400 * kMs);
  beats.RunPings(12);
  EXPECT_EQ(beats.monitor.reply_timeout(), 600 * kMs);
}

TEST(Monitor, TheReplyTimeoutIsTheMedianAndSomeIqrWhereThatIsMore) {
  HealthOptions options;
  options.k = 4;
  Heartbeats beats(options);
  int i = 0;
  beats.reply = [&] { return (i++ % 2 == 0 ? 300 : 500) * kMs; };
  beats.RunPings(12);
  EXPECT_EQ(beats.monitor.reply_timeout(), 1200 * kMs);  // 400 + 4 x 200
}

TEST(Monitor, OneLateReplyDoesNotMoveTheReplyTimeout) {
  Heartbeats beats;
  beats.Answer(400 * kMs);
  beats.RunPings(20);
  beats.Answer(3000 * kMs);
  beats.RunPings(1);
  beats.Answer(400 * kMs);
  beats.Run(4 * kSecond);
  EXPECT_EQ(beats.monitor.figures().late, 1U);
  EXPECT_EQ(beats.monitor.reply_timeout(), 600 * kMs);
}

TEST(Monitor, TheReplyTimeoutStaysBetweenFloorAndCap) {
  Heartbeats beats;
  EXPECT_EQ(beats.monitor.reply_timeout(), kSecond) << "while no round trip is known";
  beats.RunPings(5);
  EXPECT_EQ(beats.monitor.reply_timeout(), 250 * kMs);
  Heartbeats slow(Every(60 * kSecond));
  for (int i = 0; i < 200; ++i) slow.BytesAt(slow.now + i * kSecond);
  slow.Answer(7000 * kMs);
  slow.Run(200 * kSecond);
  EXPECT_EQ(slow.monitor.reply_timeout(), 8000 * kMs);
}

TEST(Monitor, AfterAMissPingsFollowAtTheReplyTimeoutUntilAsManySucceeded) {
  Heartbeats beats;
  beats.RunPings(20);
  beats.Run(100 * kMs);
  beats.BlackHole();
  beats.RunPings(2);
  beats.Answer(kMs);
  const size_t n = beats.pinged_at.size();
  beats.RunPings(4);
  const auto pause = [&](size_t i) { return beats.pinged_at[n + i] - beats.pinged_at[n + i - 1]; };
  EXPECT_EQ(beats.pinged_at[n - 1] - beats.pinged_at[n - 2], 250 * kMs);
  EXPECT_EQ(pause(0), 250 * kMs);
  EXPECT_EQ(pause(1), 250 * kMs) << "one failure is left";
  EXPECT_GE(pause(2), 900 * kMs) << "none is; two of 64 lost, so that it probes";
  EXPECT_TRUE(beats.transitions.empty());
}

TEST(Monitor, ThreeMissesInARowDegradeAndThreeSuccessesHeal) {
  Heartbeats beats;
  beats.RunPings(20);
  beats.Run(100 * kMs);
  beats.BlackHole();
  beats.RunPings(4);
  EXPECT_EQ(beats.states(), States{Health::kDegraded});
  EXPECT_EQ(beats.monitor.figures().failures, 3);
  EXPECT_EQ(Words(beats.transitions[0]), "3 replies in a row were not there after 250 ms");
  EXPECT_TRUE(beats.transitions[0].healing);
  beats.Answer(kMs);
  beats.RunPings(3);
  EXPECT_EQ(beats.monitor.health(), Health::kDegraded);
  EXPECT_EQ(beats.monitor.figures().failures, 1);
  beats.RunPings(2);
  EXPECT_EQ(beats.monitor.health(), Health::kHealthy);
  EXPECT_EQ(Words(beats.transitions.back()), "as many replies came in time as had been missed");
}

TEST(Monitor, TwoMissesAndASuccessDoNotDegrade) {
  Heartbeats beats;
  int i = 0;
  beats.reply = [&]() -> std::optional<int64_t> {
    if (i++ % 3 != 2) return std::nullopt;
    return kMs;
  };
  beats.Run(2 * kSecond);
  EXPECT_NE(beats.monitor.health(), Health::kLost);
  EXPECT_LE(beats.monitor.figures().failures, 3);
}

TEST(Monitor, ABlackHoleIsLostWithinIntervalAndEightSeconds) {
  Heartbeats beats;
  beats.RunPings(20);
  beats.Run(100 * kMs);
  beats.BlackHole();
  beats.Run(60 * kSecond);
  ASSERT_TRUE(beats.lost_at);
  EXPECT_LE(*beats.lost_at - beats.last_byte, 13 * kSecond);
  EXPECT_GT(*beats.lost_at - beats.last_byte, 12 * kSecond);
  EXPECT_EQ(beats.states(), (States{Health::kDegraded, Health::kLost}));
  EXPECT_EQ(Words(beats.transitions.back()), "nothing was heard for 13000 ms");
  EXPECT_EQ(beats.monitor.NextDue(), kNever);
}

TEST(Monitor, ABlackHoleIsLostWithinOneAndAHalfSecondsAtHalfASecond) {
  Heartbeats beats(Every(500 * kMs));
  beats.RunPings(20);
  beats.Run(100 * kMs);
  beats.BlackHole();
  beats.Run(60 * kSecond);
  ASSERT_TRUE(beats.lost_at);
  EXPECT_LE(*beats.lost_at - beats.last_byte, 1400 * kMs);
  EXPECT_EQ(beats.states(), (States{Health::kDegraded, Health::kLost}));
}

TEST(Monitor, APeerThatNeverAnswersIsLostToo) {
  Heartbeats beats;
  beats.BlackHole();
  beats.Run(60 * kSecond);
  ASSERT_TRUE(beats.lost_at);
  EXPECT_LE(*beats.lost_at - beats.last_byte, 13 * kSecond);
}

TEST(Monitor, AnyByteIsLife) {
  Heartbeats beats;
  beats.BlackHole();
  for (int i = 0; i < 1000; ++i) beats.BytesAt(beats.now + i * 200 * kMs);
  beats.Run(200 * kSecond);
  EXPECT_TRUE(beats.transitions.empty());
  EXPECT_EQ(beats.monitor.figures().missed, 0U);
}

TEST(Monitor, OnlyAStuckLoopWhoseThreadAnswersIsStalled) {
  Heartbeats beats;
  beats.RunPings(3);
  beats.stuck_for = 1500 * kMs;
  beats.RunPings(3);
  EXPECT_EQ(beats.states(), States{Health::kStalled});
  EXPECT_FALSE(beats.monitor.healing());
  EXPECT_EQ(Words(beats.transitions[0]),
            "the peer's JavaScript has been stuck for 1500 ms; its I/O thread answers");
  beats.stuck_for = 0;
  beats.RunPings(3);
  EXPECT_EQ(beats.states(), (States{Health::kStalled, Health::kHealthy}));
  EXPECT_EQ(Words(beats.transitions[1]), "the peer's JavaScript runs again");
  beats.stuck_for = 1500 * kMs;
  beats.RunPings(3);
  beats.BlackHole();
  beats.Run(60 * kSecond);
  EXPECT_EQ(beats.states(), (States{Health::kStalled, Health::kHealthy, Health::kStalled,
                                    Health::kDegraded, Health::kLost}));
}

TEST(Monitor, APingOfThePeersSaysThatItIsStuckToo) {
  Heartbeats beats;
  beats.RunPings(3);
  beats.monitor.OnPing(2 * kSecond, beats.now);
  EXPECT_EQ(beats.monitor.health(), Health::kStalled);
  beats.monitor.OnPing(-1, beats.now);
  EXPECT_EQ(beats.monitor.health(), Health::kHealthy);
}

TEST(Monitor, AnInboundPingPostponesOurOwnThreeTimesInARow) {
  Heartbeats beats;
  beats.RunPings(3);
  beats.Run(kSecond);
  const int64_t due = beats.monitor.NextDue();
  beats.monitor.OnPing(0, beats.now);
  EXPECT_GT(beats.monitor.NextDue(), due);
  int pings = 0;
  for (int i = 0; i < 100; ++i) {
    beats.Run(kSecond);
    beats.monitor.OnPing(0, beats.now);
  }
  pings = static_cast<int>(beats.pings);
  EXPECT_GE(pings, 10) << "both sides go on measuring";
  EXPECT_LE(pings, 20);
}

TEST(Monitor, TwoThatPingEachOtherSendHalfOfThePings) {
  // Both ends of one connection, each a path of its own for replies.
  Heartbeats a({}, 5);
  Heartbeats b({}, 77);
  a.RunPings(2);
  b.RunPings(2);
  uint64_t seen_a = a.pings;
  uint64_t seen_b = b.pings;
  for (int64_t end = std::max(a.now, b.now); end < 3000 * kSecond; end += 10 * kMs) {
    a.RunUntil(end);
    b.RunUntil(end);
    for (; seen_a < a.pings; ++seen_a) b.monitor.OnPing(0, b.now);
    for (; seen_b < b.pings; ++seen_b) a.monitor.OnPing(0, a.now);
  }
  const auto seconds = 2000.0;
  EXPECT_LT(static_cast<double>(a.pings + b.pings), 1.2 * seconds / 4.75);
  EXPECT_GT(a.pings, 100U);
  EXPECT_GT(b.pings, 100U);
}

TEST(Monitor, ALateReplyIsNoFailureAnyMoreAndIsMeasured) {
  Heartbeats beats;
  beats.RunPings(20);
  beats.Answer(400 * kMs);
  beats.RunPings(1);
  beats.Run(450 * kMs);
  const HealthFigures figures = beats.monitor.figures();
  EXPECT_EQ(figures.missed, 1U);
  EXPECT_EQ(figures.late, 1U);
  EXPECT_EQ(figures.failures, 0);
  EXPECT_EQ(figures.rtt, 400 * kMs);
}

TEST(Monitor, GrowsUsedToAPathThatBecameSlow) {
  Heartbeats beats(Every(500 * kMs));
  beats.RunPings(30);
  beats.Answer(700 * kMs);
  beats.RunPings(60);
  EXPECT_EQ(beats.monitor.health(), Health::kHealthy) << "late replies are replies";
  EXPECT_EQ(beats.monitor.reply_timeout(), 1050 * kMs);
  EXPECT_EQ(beats.monitor.figures().rtt_median, 700 * kMs);
}

TEST(Monitor, RepliesThatNobodyAskedForAreLifeAndNothingElse) {
  Heartbeats beats;
  beats.RunPings(5);
  beats.Run(kSecond);
  const HealthFigures before = beats.monitor.figures();
  for (const uint32_t seq : {0U, 5U, 6U, 4000U, UINT32_MAX, UINT32_MAX - 31}) {
    beats.monitor.OnPong(seq, 0, beats.now);
  }
  const HealthFigures after = beats.monitor.figures();
  EXPECT_EQ(after.answered, before.answered);
  EXPECT_EQ(after.late, before.late);
  EXPECT_EQ(after.rtt_median, before.rtt_median);
  EXPECT_EQ(after.silent_since, beats.now);
}

TEST(Monitor, APingThatCouldNotBeSentIsAMissAndAskedForAgain) {
  const auto options = std::make_shared<const HealthOptions>();
  Monitor monitor(options, 0, 1);
  const Monitor::Turn first = monitor.Advance(monitor.NextDue());
  ASSERT_TRUE(first.ping);
  const Monitor::Turn second = monitor.Advance(monitor.NextDue());
  EXPECT_TRUE(second.ping);
  EXPECT_EQ(second.seq, first.seq + 1);
  EXPECT_EQ(monitor.figures().missed, 1U);
  EXPECT_EQ(monitor.figures().sent, 0U);
}

TEST(Monitor, APingHasItsTimeFromWhenItLeft) {
  const auto options = std::make_shared<const HealthOptions>();
  Monitor monitor(options, 0, 1);
  const int64_t asked = monitor.NextDue();
  const uint32_t seq = monitor.Advance(asked).seq;
  monitor.OnPingSent(asked + 700 * kMs);
  EXPECT_EQ(monitor.NextDue(), asked + 1700 * kMs);
  monitor.OnPong(seq, 0, asked + 750 * kMs);
  EXPECT_EQ(monitor.figures().rtt, 50 * kMs);
}

TEST(Monitor, AReplyThatWasReadBeforeThePingWasKnownToHaveLeftTookNoTime) {
  const auto options = std::make_shared<const HealthOptions>();
  Monitor monitor(options, 0, 1);
  const int64_t asked = monitor.NextDue();
  const uint32_t seq = monitor.Advance(asked).seq;
  monitor.OnPingSent(asked + 2 * kMs);
  monitor.OnPong(seq, 0, asked + 1 * kMs);
  EXPECT_EQ(monitor.figures().rtt, 0);
}

TEST(Monitor, ATurnThatCameLateCountsNoMissAndIsNoRoundTrip) {
  Heartbeats beats;
  beats.RunPings(20);
  beats.BlackHole();  // for the PING under way
  beats.Answer(kMs);
  beats.Sleep(3600 * kSecond);  // the machine is suspended
  beats.RunPings(3);
  EXPECT_TRUE(beats.transitions.empty());
  EXPECT_EQ(beats.monitor.figures().late_turns, 1U);

  beats.RunPings(1);
  beats.Sleep(60 * kSecond);  // with a PONG that waits for us
  EXPECT_EQ(beats.monitor.figures().missed, 0U);
  EXPECT_LE(beats.monitor.figures().rtt, 2 * kMs);
  EXPECT_TRUE(beats.transitions.empty());
}

TEST(Monitor, LateTurnsDoNotHideABlackHoleForEver) {
  Heartbeats beats;
  beats.RunPings(20);
  beats.BlackHole();
  beats.lateness = [] { return 200 * kMs; };
  beats.Run(120 * kSecond);
  EXPECT_TRUE(beats.lost_at);
  EXPECT_EQ(beats.monitor.figures().late_turns, 8U);
}

TEST(Monitor, TheIntervalCanBeChangedWhileItRuns) {
  Heartbeats beats(Every(60 * kSecond));
  beats.RunPings(3);
  beats.Run(50 * kSecond);
  beats.monitor.SetInterval(500 * kMs, beats.now);
  beats.RunPings(20);
  EXPECT_TRUE(beats.transitions.empty()) << "50 s of silence were fine until now";
  const size_t n = beats.pinged_at.size();
  EXPECT_LE(beats.pinged_at[n - 1] - beats.pinged_at[n - 2], 500 * kMs);
  EXPECT_EQ(beats.monitor.figures().interval, 500 * kMs);
  beats.monitor.SetInterval(60 * kSecond, beats.now);
  beats.RunPings(2);
  EXPECT_GE(beats.pinged_at.back() - beats.pinged_at[beats.pinged_at.size() - 2], 54 * kSecond);
}

TEST(Monitor, TheScoreIsTheWeightedSumOfItsParts) {
  Heartbeats beats;
  beats.RunPings(20);
  EXPECT_DOUBLE_EQ(beats.monitor.score(), 1);
  beats.Run(100 * kMs);
  beats.BlackHole();
  beats.RunPings(3);  // two misses
  const HealthFigures figures = beats.monitor.figures();
  EXPECT_DOUBLE_EQ(figures.success, 0.8);
  EXPECT_NEAR(figures.ping_loss, 2.0 / 64, 0.001);
  EXPECT_NEAR(figures.score, 0.40 * 0.8 + 0.35 + 0.25 * (1 - figures.loss / 0.06), 1e-12);
}

TEST(Monitor, AShiftOfTheRoundTripCostsItsPartOfTheScore) {
  Heartbeats beats;
  beats.Answer(20 * kMs);
  beats.RunPings(50);
  beats.Answer(60 * kMs);
  beats.RunPings(29);
  EXPECT_DOUBLE_EQ(beats.monitor.score(), 1);
  beats.RunPings(12);
  EXPECT_TRUE(beats.monitor.figures().rtt_shifted);
  EXPECT_DOUBLE_EQ(beats.monitor.score(), 0.65);
}

TEST(Monitor, WithMuchLossItProbes) {
  Heartbeats beats;
  beats.RunPings(20);
  beats.monitor.OnSegments(10'000, 299, beats.now);
  EXPECT_FALSE(beats.monitor.figures().probing);
  beats.monitor.OnSegments(10'000, 500, beats.now);
  EXPECT_TRUE(beats.monitor.figures().probing);
  beats.RunPings(5);
  const size_t n = beats.pinged_at.size();
  EXPECT_LE(beats.pinged_at[n - 1] - beats.pinged_at[n - 2], kSecond);
}

TEST(Monitor, HealingBeginsWhenTheScoreFallsAndEndsWhenItRoseAgain) {
  HealthOptions options;
  options.healing_below = 0.8;
  Heartbeats beats(options);
  beats.RunPings(20);
  beats.monitor.OnSegments(10'000, 6000, beats.now);
  EXPECT_EQ(beats.monitor.health(), Health::kHealthy);
  EXPECT_TRUE(beats.monitor.healing());
  for (int i = 0; i < 40; ++i) beats.monitor.OnSegments(10'000, 0, beats.now);
  EXPECT_FALSE(beats.monitor.healing());
  const auto transitions = beats.monitor.TakeTransitions();
  ASSERT_EQ(transitions.size(), 2U);
  EXPECT_EQ(Words(transitions[0]), "the score fell to 0.75, below 0.80");
  EXPECT_EQ(transitions[1].cause, Cause::kScoreRecovered);
  EXPECT_FALSE(transitions[1].healing);
}

TEST(Monitor, KeepsTheLatestTransitionsOfAnOwnerWhoTakesNone) {
  Heartbeats beats;
  for (int i = 0; i < 100; ++i) beats.monitor.OnPing(i % 2 == 0 ? 2 * kSecond : 0, beats.now + i);
  const auto transitions = beats.monitor.TakeTransitions();
  EXPECT_EQ(transitions.size(), 16U);
  EXPECT_EQ(transitions.back().at, beats.now + 99);
  EXPECT_FALSE(beats.monitor.has_transitions());
}

TEST(Monitor, IsSmall) { EXPECT_LE(sizeof(Monitor), 512U); }

// 1 % of the replies are late by three times the IQR of the rest.
TEST(Monitor, TenThousandHeartbeatsWithOnePercentLate) {
  Heartbeats beats({}, 3);
  std::mt19937 random(20);
  std::normal_distribution<double> usual(400, 100 / 1.349);  // an IQR of 100 ms
  int late = 0;
  beats.reply = [&] {
    const auto rtt = static_cast<int64_t>(std::max(usual(random), 1.0) * kMs);
    if (random() % 100 != 0) return rtt;
    ++late;
    return rtt + 3 * 100 * kMs;
  };
  beats.RunPings(10'000);
  const HealthFigures figures = beats.monitor.figures();
  std::printf(
      "10000 heartbeats, %d late: %llu missed, %llu of them answered late, %zu transitions\n", late,
      static_cast<unsigned long long>(figures.missed),
      static_cast<unsigned long long>(figures.late), beats.transitions.size());
  EXPECT_GT(late, 60);
  EXPECT_GT(figures.missed, 0U) << "or the test would show nothing";
  EXPECT_FALSE(beats.lost_at);
  EXPECT_TRUE(beats.transitions.empty()) << Words(beats.transitions.front());
}

}  // namespace
}  // namespace spliceway
