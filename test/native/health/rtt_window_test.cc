#include "health/rtt_window.h"

#include <gtest/gtest.h>

namespace spliceway {
namespace {

constexpr int64_t kMs = 1'000'000;

TEST(RttWindow, HasNothingToTellAtFirst) {
  const RttWindow window;
  EXPECT_EQ(window.count(), 0U);
  EXPECT_EQ(window.median(), 0);
  EXPECT_EQ(window.iqr(), 0);
}

TEST(RttWindow, OfOneRoundTripThatIsTheMedian) {
  RttWindow window;
  window.Add(7 * kMs);
  EXPECT_EQ(window.median(), 7 * kMs);
  EXPECT_EQ(window.iqr(), 0);
}

TEST(RttWindow, InterpolatesBetweenRoundTrips) {
  RttWindow window;
  for (const int ms : {4, 1, 3, 2}) window.Add(ms * kMs);
  EXPECT_EQ(window.median(), 2'500'000);
  EXPECT_EQ(window.iqr(), 1'500'000);  // 3.25 - 1.75
}

TEST(RttWindow, ForgetsTheEleventhLast) {
  RttWindow window;
  window.Add(9000 * kMs);
  for (int i = 0; i < 10; ++i) window.Add(5 * kMs);
  EXPECT_EQ(window.count(), 10U);
  EXPECT_EQ(window.median(), 5 * kMs);
  EXPECT_EQ(window.iqr(), 0);
  EXPECT_EQ(window.last(), 5 * kMs);
}

TEST(RttWindow, TakesWhatNoClockShouldGive) {
  RttWindow window;
  window.Add(-5);
  EXPECT_EQ(window.median(), 0);
  for (int i = 0; i < 10; ++i) window.Add(INT64_MAX);
  EXPECT_EQ(window.median(), int64_t{UINT32_MAX} * 1000);
}

}  // namespace
}  // namespace spliceway
