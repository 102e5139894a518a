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

}  // namespace
}  // namespace spliceway
