// Time is given by hand: nothing here waits.
#include "chaos/delay_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spliceway {
namespace {

constexpr int64_t kMs = 1'000'000;

DelayLine Line(uint64_t seed = 1) { return DelayLine(Chance::Of({seed})); }

std::string TakeDue(DelayLine* line, int64_t now) {
  const auto due = line->Front(now);
  std::string out(due.begin(), due.end());
  line->Pop(due.size());
  return out;
}

// When each segment of a run is due, one pushed every millisecond.
std::vector<int64_t> DueTimes(DelayLine line, const Impairment& impairment, int count) {
  std::vector<int64_t> times;
  for (int i = 0; i < count; ++i) {
    line.Push({"x", 1}, impairment, i * kMs);
    while (line.NextDue() != kNever) {
      const int64_t due = line.NextDue();
      times.push_back(due - i * kMs);
      TakeDue(&line, due);
    }
  }
  return times;
}

TEST(DelayLine, UnimpairedBytesAreDueAtOnce) {
  DelayLine line = Line();
  line.Push({"hello", 5}, {}, 7);
  EXPECT_EQ(line.NextDue(), 7);
  EXPECT_EQ(TakeDue(&line, 7), "hello");
  EXPECT_EQ(line.NextDue(), kNever);
}

TEST(DelayLine, NothingIsEarlyAndAllIsThereInTime) {
  DelayLine line = Line();
  const Impairment late{.delay_ns = 20 * kMs};
  line.Push({"ab", 2}, late, 0);
  line.Push({"cd", 2}, late, 5 * kMs);
  EXPECT_EQ(TakeDue(&line, 20 * kMs - 1), "");
  EXPECT_EQ(TakeDue(&line, 20 * kMs), "ab");
  EXPECT_EQ(line.NextDue(), 25 * kMs);
  EXPECT_EQ(TakeDue(&line, 30 * kMs), "cd");
}

TEST(DelayLine, WhatIsLeftOfDueBytesStaysDue) {
  DelayLine line = Line();
  line.Push({"abcd", 4}, {}, 0);
  EXPECT_EQ(line.Front(0).size(), 4u);
  line.Pop(1);
  line.Push({"ef", 2}, {.delay_ns = kMs}, 0);
  EXPECT_EQ(TakeDue(&line, 0), "bcd");
  EXPECT_EQ(TakeDue(&line, kMs), "ef");
}

TEST(DelayLine, JitterStaysWithinItsBoundsAndKeepsTheOrder) {
  const Impairment jittery{.delay_ns = 10 * kMs, .jitter_ns = 4 * kMs};
  bool early = false;
  bool late = false;
  for (const int64_t delay : DueTimes(Line(), jittery, 500)) {
    EXPECT_GE(delay, 6 * kMs);
    EXPECT_LE(delay, 14 * kMs);
    early |= delay < 8 * kMs;
    late |= delay > 12 * kMs;
  }
  EXPECT_TRUE(early && late);
}

TEST(DelayLine, ALostSegmentHoldsUpWhatIsBehindIt) {
  DelayLine line = Line();
  // Lost each time it is sent, up to the eighth: 200 ms, 400 ms, …
  line.Push({"lost", 4}, {.loss = 1, .retransmit_ns = 200 * kMs}, 0);
  line.Push({"behind", 6}, {}, kMs);
  EXPECT_EQ(line.lost(), 1u);
  EXPECT_EQ(TakeDue(&line, 255 * 200 * kMs - 1), "");
  EXPECT_EQ(TakeDue(&line, 255 * 200 * kMs), "lostbehind");
}

TEST(DelayLine, LosesTheShareThatItIsTold) {
  DelayLine line = Line();
  const std::string segment(DelayLine::kSegment, 'x');
  for (int i = 0; i < 2000; ++i) line.Push(segment, {.loss = 0.25, .retransmit_ns = kMs}, 0);
  EXPECT_EQ(line.segments(), 2000u);
  EXPECT_NEAR(static_cast<double>(line.lost()), 500, 80);
}

TEST(DelayLine, DecidesForEachSegmentOfALongPush) {
  DelayLine line = Line();
  line.Push(std::string(3 * DelayLine::kSegment + 1, 'x'), {}, 0);
  EXPECT_EQ(line.segments(), 4u);
}

TEST(DelayLine, TheSameSeedDecidesTheSame) {
  const Impairment impairment{.jitter_ns = 9 * kMs, .loss = 0.1, .retransmit_ns = 50 * kMs};
  EXPECT_EQ(DueTimes(Line(4), impairment, 200), DueTimes(Line(4), impairment, 200));
  EXPECT_NE(DueTimes(Line(4), impairment, 200), DueTimes(Line(5), impairment, 200));
}

// What was decided before an impairment was switched on does not shift what is decided after.
TEST(DelayLine, EachSegmentTakesAsManyNumbersWhateverTheImpairment) {
  const Impairment jittery{.delay_ns = 100 * kMs, .jitter_ns = 50 * kMs};
  DelayLine plain_first = Line();
  DelayLine jittery_first = Line();
  plain_first.Push({"a", 1}, {}, 0);
  jittery_first.Push({"a", 1}, {.jitter_ns = 1}, 0);
  TakeDue(&plain_first, 0);
  TakeDue(&jittery_first, 1);
  plain_first.Push({"b", 1}, jittery, 0);
  jittery_first.Push({"b", 1}, jittery, 0);
  EXPECT_EQ(plain_first.NextDue(), jittery_first.NextDue());
}

TEST(DelayLine, TheEndComesAfterTheLastByte) {
  DelayLine line = Line();
  line.Push({"last", 4}, {.delay_ns = 10 * kMs}, 0);
  line.PushEnd(DelayLine::End::kFin, {}, 0);
  EXPECT_EQ(line.EndedBy(10 * kMs), DelayLine::End::kNone);
  EXPECT_EQ(TakeDue(&line, 10 * kMs), "last");
  EXPECT_EQ(line.EndedBy(10 * kMs), DelayLine::End::kFin);
}

TEST(DelayLine, HasRoomForSoMuch) {
  DelayLine line = Line();
  EXPECT_EQ(line.room(), DelayLine::kCapacity);
  line.Push(std::string(1000, 'x'), {.delay_ns = kMs}, 0);
  EXPECT_EQ(line.room(), DelayLine::kCapacity - 1000);
  TakeDue(&line, kMs);
  EXPECT_EQ(line.room(), DelayLine::kCapacity);
}

}  // namespace
}  // namespace spliceway
