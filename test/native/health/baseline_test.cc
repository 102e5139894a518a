#include "health/baseline.h"

#include <gtest/gtest.h>

#include <random>

namespace spliceway {
namespace {

constexpr double kMs = 1e6;

class Path {
 public:
  // Round trips of so many milliseconds, give or take a tenth.
  void Windows(int count, double ms) {
    std::normal_distribution<double> rtt(ms * kMs, ms * kMs / 10);
    for (int i = 0; i < count * 10; ++i) {
      window_.Add(static_cast<int64_t>(rtt(random_)));
      baseline.Add(window_, options);
    }
  }

  HealthOptions options;
  Baseline baseline;

 private:
  std::mt19937 random_{7};
  RttWindow window_;
};

TEST(Baseline, LearnsMeanAndSigma) {
  Path path;
  path.Windows(50, 100);
  EXPECT_NEAR(path.baseline.mean(), 100 * kMs, 2 * kMs);
  EXPECT_NEAR(path.baseline.sigma(), 10 * kMs, 2 * kMs);
  EXPECT_EQ(path.baseline.shifted_windows(), 0);
}

TEST(Baseline, SaysNothingBeforeThreeWindows) {
  Path path;
  path.Windows(1, 10);
  path.Windows(1, 1000);
  EXPECT_EQ(path.baseline.shifted_windows(), 0);
}

TEST(Baseline, ThreeWindowsRunningAreAShift) {
  Path path;
  path.Windows(20, 100);
  path.Windows(2, 140);
  EXPECT_FALSE(path.baseline.shifted(path.options));
  path.Windows(1, 140);
  EXPECT_TRUE(path.baseline.shifted(path.options));
  EXPECT_NEAR(path.baseline.mean(), 100 * kMs, 2 * kMs) << "not learned from";
  path.Windows(1, 100);
  EXPECT_EQ(path.baseline.shifted_windows(), 0);
}

TEST(Baseline, LessThanTwoSigmaIsNone) {
  Path path;
  path.Windows(20, 100);
  path.Windows(10, 112);
  EXPECT_FALSE(path.baseline.shifted(path.options));
}

TEST(Baseline, AShiftOfLessThanTheLeastIsNone) {
  Path path;
  path.Windows(20, 0.05);
  path.Windows(10, 0.5);
  EXPECT_FALSE(path.baseline.shifted(path.options));
  path.options.shift_least = 100'000;
  path.Windows(20, 0.05);
  path.Windows(3, 0.9);
  EXPECT_TRUE(path.baseline.shifted(path.options));
}

TEST(Baseline, AFasterPathIsNoIllness) {
  Path path;
  path.Windows(20, 100);
  path.Windows(10, 20);
  EXPECT_FALSE(path.baseline.shifted(path.options));
}

TEST(Baseline, AShiftThatStaysBecomesTheMeasure) {
  Path path;
  path.Windows(20, 100);
  path.Windows(29, 300);
  EXPECT_TRUE(path.baseline.shifted(path.options));
  path.Windows(10, 300);
  EXPECT_FALSE(path.baseline.shifted(path.options));
  EXPECT_NEAR(path.baseline.mean(), 300 * kMs, 10 * kMs);
}

}  // namespace
}  // namespace spliceway
