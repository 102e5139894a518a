#include "core/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace spliceway {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kDay = 86'400'000 * kMs;

// A timer that keeps the times it fired at, by a clock that the test sets.
class Probe final : public TimerOwner {
 public:
  explicit Probe(const int64_t* now, int which = 0) : timer(this, which), now_(now) {}

  void OnTimer(int which) override {
    fired.push_back(*now_);
    last_which = which;
    if (then) then();
  }

  Timer timer;
  std::vector<int64_t> fired;
  int last_which = -1;
  std::function<void()> then;

 private:
  const int64_t* now_;
};

class Wheel : public testing::Test {
 protected:
  void Start(int64_t now) {
    now_ = now;
    wheel_ = std::make_unique<TimerWheel>(now);
  }
  Probe* NewProbe(int which = 0) { return &probes_.emplace_back(&now_, which); }
  void AdvanceTo(int64_t now) {
    now_ = now;
    wheel_->Advance(now);
  }
  // Sleeps as a reactor does: from one NextTurn to the next, until it is `end`. How many turns.
  int RunUntil(int64_t end) {
    int turns = 0;
    for (int64_t next = wheel_->NextTurn(); next <= end; next = wheel_->NextTurn()) {
      EXPECT_GT(next, now_ - kMs) << "no turn that lies behind";
      AdvanceTo(next);
      ++turns;
    }
    AdvanceTo(end);
    return turns;
  }

  int64_t now_ = 0;
  std::unique_ptr<TimerWheel> wheel_;
  std::deque<Probe> probes_;  // after the wheel: timers leave it when they are destroyed
};

TEST_F(Wheel, EmptyItNeverNeedsATurn) {
  Start(12'345 * kMs);
  EXPECT_EQ(wheel_->NextTurn(), kNever);
  AdvanceTo(12'345 * kMs + kDay);
  EXPECT_EQ(wheel_->NextTurn(), kNever);
}

TEST_F(Wheel, NeverFiresEarlyAndAtMostOneTickLate) {
  Start(1'000 * kMs + 3);
  Probe* probe = NewProbe();
  const int64_t when = 1'010 * kMs + 500'000;
  wheel_->Set(&probe->timer, when);
  EXPECT_TRUE(probe->timer.pending());
  AdvanceTo(when - 1);
  EXPECT_TRUE(probe->fired.empty());
  AdvanceTo(when + kMs);
  EXPECT_EQ(probe->fired.size(), 1u);
  EXPECT_FALSE(probe->timer.pending());
}

TEST_F(Wheel, FiresAtItsVeryInstantWhenThatIsATick) {
  Start(1'000 * kMs);
  Probe* probe = NewProbe();
  wheel_->Set(&probe->timer, 1'010 * kMs);
  AdvanceTo(1'010 * kMs - 1);
  EXPECT_TRUE(probe->fired.empty());
  AdvanceTo(1'010 * kMs);
  EXPECT_EQ(probe->fired.size(), 1u);
}

TEST_F(Wheel, WhatIsDueAlreadyFiresInTheNextTick) {
  Start(1'000 * kMs);
  Probe* probe = NewProbe();
  wheel_->Set(&probe->timer, 1);
  EXPECT_LE(wheel_->NextTurn(), 1'001 * kMs);
  AdvanceTo(1'001 * kMs);
  EXPECT_EQ(probe->fired.size(), 1u);
}

TEST_F(Wheel, TellsItsOwnerWhichTimerItWas) {
  Start(0);
  Probe* probe = NewProbe(7);
  wheel_->Set(&probe->timer, 5 * kMs);
  RunUntil(10 * kMs);
  EXPECT_EQ(probe->last_which, 7);
}

TEST_F(Wheel, CancelledTimersDoNotFireAndNeedNoTurn) {
  Start(0);
  Probe* probe = NewProbe();
  wheel_->Set(&probe->timer, 5 * kMs);
  probe->timer.Cancel();
  EXPECT_FALSE(probe->timer.pending());
  EXPECT_EQ(wheel_->NextTurn(), kNever);
  AdvanceTo(100 * kMs);
  EXPECT_TRUE(probe->fired.empty());
  probe->timer.Cancel();  // once more: nothing to do
}

TEST_F(Wheel, MovesEarlier) {
  Start(0);
  Probe* probe = NewProbe();
  wheel_->Set(&probe->timer, 5'000 * kMs);
  wheel_->Set(&probe->timer, 20 * kMs);
  RunUntil(6'000 * kMs);
  EXPECT_EQ(probe->fired, std::vector<int64_t>{20 * kMs});
}

TEST_F(Wheel, MovesLater) {
  Start(0);
  Probe* probe = NewProbe();
  wheel_->Set(&probe->timer, 20 * kMs);
  wheel_->Set(&probe->timer, 5'000 * kMs);
  RunUntil(6'000 * kMs);
  EXPECT_EQ(probe->fired, std::vector<int64_t>{5'000 * kMs});
}

TEST_F(Wheel, MovesLaterAndThenEarlierThanAtFirst) {
  Start(0);
  Probe* probe = NewProbe();
  wheel_->Set(&probe->timer, 100 * kMs);
  wheel_->Set(&probe->timer, 5'000 * kMs);
  wheel_->Set(&probe->timer, 50 * kMs);
  RunUntil(6'000 * kMs);
  EXPECT_EQ(probe->fired, std::vector<int64_t>{50 * kMs});
}

TEST_F(Wheel, SetAgainWhileItFiresItFiresAgain) {
  Start(0);
  Probe* probe = NewProbe();
  probe->then = [&] {
    if (probe->fired.size() < 5) wheel_->Set(&probe->timer, now_ + 10 * kMs);
  };
  wheel_->Set(&probe->timer, 10 * kMs);
  RunUntil(1'000 * kMs);
  EXPECT_EQ(probe->fired, (std::vector<int64_t>{10 * kMs, 20 * kMs, 30 * kMs, 40 * kMs, 50 * kMs}));
}

TEST_F(Wheel, AnOwnerThatIsToldMayCancelMoveAndDestroyTheOthersOfItsTick) {
  Start(0);
  Probe* first = NewProbe();
  auto doomed = std::make_unique<Probe>(&now_);
  Probe* cancelled = NewProbe();
  Probe* moved = NewProbe();
  first->then = [&] {
    doomed.reset();
    cancelled->timer.Cancel();
    wheel_->Set(&moved->timer, 30 * kMs);
  };
  for (Timer* timer : {&first->timer, &doomed->timer, &cancelled->timer, &moved->timer}) {
    wheel_->Set(timer, 10 * kMs);
  }
  RunUntil(100 * kMs);
  EXPECT_EQ(first->fired, std::vector<int64_t>{10 * kMs});
  EXPECT_TRUE(cancelled->fired.empty());
  EXPECT_EQ(moved->fired, std::vector<int64_t>{30 * kMs});
}

TEST_F(Wheel, AnOwnerThatIsToldMayMakeOthersDueAtOnce) {
  Start(0);
  Probe* first = NewProbe();
  Probe* second = NewProbe();
  wheel_->Set(&second->timer, 1'000 * kMs);
  first->then = [&] { wheel_->Set(&second->timer, now_); };
  wheel_->Set(&first->timer, 10 * kMs);
  RunUntil(100 * kMs);
  EXPECT_EQ(second->fired, std::vector<int64_t>{11 * kMs});  // the next tick, no earlier
}

TEST_F(Wheel, ADestroyedOwnerLeavesTheWheel) {
  Start(0);
  {
    Probe gone(&now_);
    wheel_->Set(&gone.timer, 10 * kMs);
  }
  EXPECT_EQ(wheel_->NextTurn(), kNever);
  AdvanceTo(100 * kMs);
}

// Levels end at 64^L ticks, counted from where the wheel stands; the starts put it before, at and
// behind such a boundary itself.
TEST_F(Wheel, FiresOnTimeAroundEveryLevelsBoundaries) {
  const int64_t last_level = int64_t{1} << 36;
  for (const int64_t start : {int64_t{0}, int64_t{1}, int64_t{63}, int64_t{64}, int64_t{4'095},
                              int64_t{262'143}, int64_t{123'456'789}, last_level - 1}) {
    for (int64_t span = 1; span <= last_level; span *= 64) {
      for (const int64_t ticks :
           {span - 1, span, span + 1, 2 * span + 1, 63 * span, 64 * span - 1}) {
        SCOPED_TRACE(testing::Message() << "from tick " << start << " for " << ticks);
        Start(start * kMs);
        Probe probe(&now_);
        const int64_t when = (start + std::max<int64_t>(ticks, 1)) * kMs;
        wheel_->Set(&probe.timer, when);
        // A turn for each level that it passes; far ones once more for each round of the last.
        EXPECT_LE(RunUntil(when), 7 + static_cast<int>(ticks / last_level));
        EXPECT_EQ(probe.fired, std::vector<int64_t>{when});
      }
    }
  }
}

TEST_F(Wheel, ATimerBeyondTheLastLevelWaitsAtItsEndAndIsNotLost) {
  Start(5 * kMs);
  Probe* probe = NewProbe();
  const int64_t when = 10 * 366 * kDay;
  wheel_->Set(&probe->timer, when);
  EXPECT_LT(RunUntil(when), 20);
  EXPECT_EQ(probe->fired, std::vector<int64_t>{when});
}

// The last level is a ring: what lies a whole round ahead stands in the current slot, and must not
// be taken for the next.
TEST_F(Wheel, ATimerAWholeRoundAheadDoesNotHideEarlierOnesOfTheLastLevel) {
  Start(5 * kMs);
  Probe* far = NewProbe();
  Probe* near = NewProbe();
  wheel_->Set(&far->timer, 100 * 366 * kDay);
  wheel_->Set(&near->timer, 60 * kDay);
  EXPECT_LE(wheel_->NextTurn(), 60 * kDay);
  RunUntil(61 * kDay);
  EXPECT_EQ(near->fired, std::vector<int64_t>{60 * kDay});
  EXPECT_TRUE(far->fired.empty());
  EXPECT_TRUE(far->timer.pending());
}

TEST_F(Wheel, TheLargestTimesStayPendingAndOverflowNothing) {
  Start(5 * kMs);
  for (const int64_t when : {kNever, kNever - 1, kNever - kMs, kNever / 2}) {
    wheel_->Set(&NewProbe()->timer, when);
  }
  AdvanceTo(100 * 366 * kDay);
  for (const Probe& probe : probes_) {
    EXPECT_TRUE(probe.fired.empty());
    EXPECT_TRUE(probe.timer.pending());
  }
  EXPECT_GT(wheel_->NextTurn(), now_);
}

// The same timers in the simplest form there is: a list that is searched.
class Model {
 public:
  explicit Model(size_t size) : due_(size, kNever) {}

  void Set(size_t i, int64_t when, int64_t now) {
    due_[i] = std::max((when + kMs - 1) / kMs, now / kMs + 1);
  }
  void Cancel(size_t i) { due_[i] = kNever; }
  bool pending(size_t i) const { return due_[i] != kNever; }
  std::vector<size_t> Advance(int64_t now) {
    std::vector<size_t> fired;
    for (size_t i = 0; i < due_.size(); ++i) {
      if (due_[i] > now / kMs) continue;
      fired.push_back(i);
      due_[i] = kNever;
    }
    return fired;
  }
  int64_t earliest() const { return *std::min_element(due_.begin(), due_.end()); }

 private:
  std::vector<int64_t> due_;
};

// Spans of every size are as likely as each other, so that all levels are used.
int64_t RandomSpan(std::mt19937_64& random) {
  const int bits = std::uniform_int_distribution<int>(0, 58)(random);
  return static_cast<int64_t>(random() >> (63 - bits));
}

class RandomWheel : public Wheel, public testing::WithParamInterface<uint64_t> {};

TEST_P(RandomWheel, DoesWhatASearchedListDoes) {
  constexpr size_t kTimers = 50;
  std::mt19937_64 random(GetParam());
  Start(RandomSpan(random));
  Model model(kTimers);
  for (size_t i = 0; i < kTimers; ++i) NewProbe();
  for (int step = 0; step < 4'000; ++step) {
    const size_t i = random() % kTimers;
    switch (random() % 8) {
      case 0:
        probes_[i].timer.Cancel();
        model.Cancel(i);
        break;
      case 1: {
        const int64_t earliest = model.earliest();
        const int64_t next = wheel_->NextTurn();
        if (earliest != kNever) {
          ASSERT_LE(next, earliest * kMs) << "step " << step;
        }
        AdvanceTo(std::max(now_, std::min(now_ + RandomSpan(random) / 64, kNever / 4)));
        const auto expected = model.Advance(now_);
        std::vector<size_t> fired;
        for (size_t k = 0; k < kTimers; ++k) {
          if (!probes_[k].fired.empty()) fired.push_back(k);
          EXPECT_LE(probes_[k].fired.size(), 1u);
          probes_[k].fired.clear();
        }
        ASSERT_EQ(fired, expected) << "step " << step;
        break;
      }
      default: {
        const int64_t when = now_ - 5 * kMs + RandomSpan(random);
        wheel_->Set(&probes_[i].timer, when);
        model.Set(i, when, now_);
      }
    }
    ASSERT_EQ(probes_[i].timer.pending(), model.pending(i)) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomWheel, testing::Range<uint64_t>(1, 21));

TEST_F(Wheel, AHundredThousandTimersEachFireOnceAndOnTime) {
  constexpr size_t kTimers = 100'000;
  std::mt19937_64 random(1);
  Start(987'654'321 * kMs);
  std::vector<int64_t> due(kTimers);
  for (size_t i = 0; i < kTimers; ++i) {
    due[i] = now_ + static_cast<int64_t>(random() % (600'000 * kMs));
    wheel_->Set(&NewProbe()->timer, due[i]);
  }
  RunUntil(now_ + 600'001 * kMs);
  for (size_t i = 0; i < kTimers; ++i) {
    ASSERT_EQ(probes_[i].fired.size(), 1u);
    ASSERT_GE(probes_[i].fired[0], due[i]);
    ASSERT_LT(probes_[i].fired[0], due[i] + kMs);
  }
}

}  // namespace
}  // namespace spliceway
