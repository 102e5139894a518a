// What holds of a Monitor whatever happens: connections with random settings, paths and owners.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "health/heartbeats.h"

namespace spliceway {
namespace {

constexpr uint32_t kConnections = 500;

class Life {
 public:
  explicit Life(uint32_t seed) : random_(seed), beats_(RandomOptions(), seed) {
    options_ = drawn_;
    const double median = LogUniform(0.05, 400);
    const double spread = median * LogUniform(0.01, 0.3);
    beats_.reply = [this, median, spread] {
      std::normal_distribution<double> rtt(median, spread);
      return static_cast<int64_t>(std::max(rtt(random_), 0.01) * kMs);
    };
  }

  Heartbeats& beats() { return beats_; }
  int64_t interval() const { return options_.interval; }
  double Uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  double LogUniform(double low, double high) {
    return std::exp(Uniform(std::log(low), std::log(high)));
  }

 private:
  HealthOptions RandomOptions() {
    drawn_.interval = static_cast<int64_t>(LogUniform(20, 60'000) * kMs);
    drawn_.jitter = Uniform(0, 0.5);
    drawn_.k = Uniform(0.5, 4);
    return drawn_;
  }

  std::mt19937 random_;
  HealthOptions drawn_;
  HealthOptions options_;
  Heartbeats beats_;
};

TEST(MonitorAlways, FromTheLastByteToLostAreAtMostIntervalAndEightSeconds) {
  int64_t longest = 0;
  for (uint32_t seed = 1; seed <= kConnections; ++seed) {
    Life life(seed);
    Heartbeats& beats = life.beats();
    beats.RunPings(static_cast<uint64_t>(life.Uniform(0, 40)));
    beats.Run(static_cast<int64_t>(life.Uniform(0, 1) * static_cast<double>(life.interval())));
    beats.BlackHole();
    if (seed % 3 == 0)
      beats.BytesAt(beats.now + static_cast<int64_t>(life.Uniform(0, 2) * kSecond));
    beats.Run(life.interval() + 20 * kSecond);
    ASSERT_TRUE(beats.lost_at) << "seed " << seed;
    const int64_t silence = *beats.lost_at - beats.last_byte;
    ASSERT_LE(silence, life.interval() + 8 * kSecond) << "seed " << seed;
    ASSERT_GT(silence, life.interval()) << "seed " << seed;
    longest = std::max(longest, silence - life.interval());
  }
  EXPECT_GT(longest, 7 * kSecond) << "the bound is used";
}

TEST(MonitorAlways, NothingIsLostWhileBytesCome) {
  for (uint32_t seed = 1; seed <= kConnections; ++seed) {
    Life life(seed);
    Heartbeats& beats = life.beats();
    beats.RunPings(static_cast<uint64_t>(life.Uniform(0, 20)));
    beats.BlackHole();
    int64_t when = beats.last_byte;
    for (int i = 0; i < 50; ++i) {
      when += static_cast<int64_t>(life.Uniform(0, 1) * static_cast<double>(life.interval()));
      beats.BytesAt(std::max(when, beats.now));
    }
    beats.RunUntil(when);
    ASSERT_FALSE(beats.lost_at) << "seed " << seed;
  }
}

TEST(MonitorAlways, TurnsThatComeLateAreNoMisses) {
  for (uint32_t seed = 1; seed <= kConnections; ++seed) {
    Life life(seed);
    Heartbeats& beats = life.beats();
    beats.Answer(static_cast<int64_t>(life.LogUniform(0.05, 100) * kMs));
    beats.lateness = [&] {
      return life.Uniform(0, 1) < 0.7 ? 0 : static_cast<int64_t>(life.LogUniform(1, 1e6) * kMs);
    };
    beats.RunPings(60);
    ASSERT_EQ(beats.monitor.figures().missed, 0U) << "seed " << seed;
    ASSERT_TRUE(beats.transitions.empty()) << "seed " << seed;
    ASSERT_LE(beats.monitor.figures().rtt_median, 250 * kMs) << "seed " << seed;
  }
}

TEST(MonitorAlways, NoOrderOfCallsBreaksIt) {
  for (uint32_t seed = 1; seed <= kConnections; ++seed) {
    std::mt19937 random(seed);
    Monitor monitor(std::make_shared<const HealthOptions>(), 0, seed);
    bool lost = false;
    for (int64_t now = 0, i = 0; i < 300; ++i, now += random() % (2 * kSecond)) {
      const auto any = static_cast<int64_t>(random()) * (random() % 3 == 0 ? -1 : 1);
      switch (random() % 7) {
        case 0: monitor.OnBytes(now); break;
        case 1: monitor.OnPing(any, now); break;
        case 2: monitor.OnPong(random() % 20, any, now); break;
        case 3: monitor.OnPingSent(now); break;
        case 4: monitor.OnSegments(random() % 100, random() % 200, now); break;
        case 5: monitor.SetInterval((1 + random() % 10'000) * kMs, now); break;
        default: monitor.Advance(now);
      }
      ASSERT_TRUE(!lost || monitor.health() == Health::kLost) << "seed " << seed;
      lost = monitor.health() == Health::kLost;
      const HealthFigures f = monitor.figures();
      ASSERT_TRUE(f.score >= 0 && f.score <= 1 + 1e-9) << "seed " << seed << ": " << f.score;
      ASSERT_TRUE(f.failures >= 0 && f.failures <= 3) << "seed " << seed;
      ASSERT_TRUE(f.reply_timeout >= 250 * kMs && f.reply_timeout <= 8 * kSecond)
          << "seed " << seed;
      ASSERT_LE(f.silent_since, now) << "seed " << seed;
      ASSERT_EQ(lost, monitor.NextDue() == kNever) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace spliceway
