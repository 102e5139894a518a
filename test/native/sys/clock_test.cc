#include "sys/clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace spliceway {
namespace {

template <typename Clock>
int64_t Nanoseconds() {
  return std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
}

TEST(Clock, MonotonicNowNeverGoesBack) {
  int64_t last = MonotonicNow();
  for (int i = 0; i < 100'000; ++i) {
    const int64_t now = MonotonicNow();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(Clock, NanosecondsOfTheSystemsTwoClocks) {
  const int64_t before = Nanoseconds<std::chrono::steady_clock>();
  const int64_t monotonic = MonotonicNow();
  EXPECT_GE(monotonic, before);
  EXPECT_LE(monotonic, Nanoseconds<std::chrono::steady_clock>());
  // A day's room, since the wall clock may be set at any time.
  constexpr int64_t kDay = int64_t{86'400} * 1'000'000'000;
  EXPECT_NEAR(static_cast<double>(WallNow()),
              static_cast<double>(Nanoseconds<std::chrono::system_clock>()),
              static_cast<double>(kDay));
}

TEST(Clock, HasPassedIsExactNearNowAndRightFarAhead) {
  for (int i = 0; i < 1000; ++i) {
    const int64_t soon = MonotonicNow() + 20'000;
    while (!HasPassed(soon)) EXPECT_LE(MonotonicNow() - soon, 1'000'000'000);
    EXPECT_GE(MonotonicNow(), soon);
  }
  EXPECT_TRUE(HasPassed(MonotonicNow()));
  EXPECT_TRUE(HasPassed(1));
  EXPECT_FALSE(HasPassed(MonotonicNow() + 3'600'000'000'000));
  EXPECT_FALSE(HasPassed(kNever));
}

TEST(Clock, MonotonicAtIsNeverEarlyAndHardlyLate) {
  for (int i = 0; i < 100'000; ++i) {
    const int64_t wall = WallNow();
    const int64_t at = MonotonicAt(wall + 1'000'000'000) - 1'000'000'000;
    const int64_t after = MonotonicNow();
    ASSERT_GE(at, after - (WallNow() - wall) - 1'000);
    ASSERT_LE(at, after + 50'000'000);
  }
}

}  // namespace
}  // namespace spliceway
