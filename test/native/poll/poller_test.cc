// The contract at the top of poll/poller.h, clause by clause. Nothing here names a backend: each of
// them has to pass.
#include "poll/poller.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "support/pair.h"
#include "sys/clock.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

constexpr int64_t kMs = 1'000'000;

class PollerTest : public testing::Test {
 protected:
  // The events that are there now, or come within the time.
  std::vector<Event> Wait(int timeout_ms = 0) {
    std::array<Event, 64> events;
    const size_t n = poller_->Wait(events, timeout_ms);
    return {events.begin(), events.begin() + static_cast<ptrdiff_t>(n)};
  }
  // What is said of the tag until all of `wanted` was. A backend may say it in one event or in one
  // for each direction.
  uint32_t WaitForAll(uint64_t tag, uint32_t wanted) {
    uint32_t ready = 0;
    const int64_t until = MonotonicNow() + test::kPatienceMs * kMs;
    while ((ready & wanted) != wanted && MonotonicNow() < until) {
      for (const Event& event : Wait(100)) ready |= event.tag == tag ? event.ready : 0;
    }
    return ready & wanted;
  }
  // One event, awaited; a failure if there is none, or if there are others. Without kPriority,
  // which a backend that cannot tell says each time.
  Event WaitForOne() {
    for (const int64_t until = MonotonicNow() + test::kPatienceMs * kMs; MonotonicNow() < until;) {
      const auto events = Wait(test::kPatienceMs);
      if (events.empty()) continue;
      EXPECT_EQ(events.size(), 1u);
      return {events[0].tag, events[0].ready & ~kPriority};
    }
    ADD_FAILURE() << "no event came";
    return {};
  }
  bool IsReadable() const { return test::IsReadable(poller_->fd()); }

  std::unique_ptr<Poller> poller_ = std::move(Poller::Open().value());
  test::Pair pair_ = test::UnixPair();
};

TEST_F(PollerTest, QuietAtFirst) {
  EXPECT_FALSE(IsReadable());
  EXPECT_TRUE(Wait().empty());
  EXPECT_EQ(poller_->armed(), kNever);
}

TEST_F(PollerTest, AddReportsReadinessThatIsThereAlready) {
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable | kWritable).ok());
  EXPECT_TRUE(IsReadable());
  EXPECT_EQ(WaitForAll(7, kReadable | kWritable), kReadable | kWritable);
  EXPECT_TRUE(Wait().empty());
}

TEST_F(PollerTest, ReportsAnEdgeOnceAndTheNextOneAgain) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  EXPECT_TRUE(Wait().empty());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
    EXPECT_EQ(WaitForOne().ready, kReadable);
    EXPECT_FALSE(IsReadable());
    EXPECT_TRUE(Wait().empty()) << "the byte is still there, but no edge is";
  }
}

TEST_F(PollerTest, WritabilityIsReportedOnlyWhereItWasAskedFor) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  EXPECT_TRUE(Wait().empty());
  ASSERT_TRUE(poller_->Modify(pair_.near.get(), 7, kReadable | kWritable).ok());
  EXPECT_EQ(WaitForOne().ready, kWritable);
}

TEST_F(PollerTest, ModifyReportsReadinessThatIsThereAlreadyUnderTheNewTag) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  EXPECT_EQ(WaitForOne().tag, 7u);
  ASSERT_TRUE(poller_->Modify(pair_.near.get(), 8, kReadable).ok());
  EXPECT_TRUE(IsReadable());
  EXPECT_EQ(WaitForOne().tag, 8u);
}

TEST_F(PollerTest, ModifyReportsRoomThatCameSinceTheSocketWasFull) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  const size_t filled = test::FillUp(pair_.near.get());
  EXPECT_EQ(test::DrainAtLeast(pair_.far.get(), filled), filled);
  ASSERT_TRUE(poller_->Modify(pair_.near.get(), 7, kReadable | kWritable).ok());
  EXPECT_EQ(WaitForOne().ready, kWritable);
}

TEST_F(PollerTest, ReportsTheEdgeWhenAFullSocketHasRoomAgain) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable | kWritable).ok());
  EXPECT_EQ(WaitForOne().ready, kWritable);
  const size_t filled = test::FillUp(pair_.near.get());
  EXPECT_TRUE(Wait().empty());
  EXPECT_EQ(test::DrainAtLeast(pair_.far.get(), filled), filled);
  EXPECT_EQ(WaitForOne().ready, kWritable);
}

TEST_F(PollerTest, TheEndOfTheStreamIsReadableAndSaysSo) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  ASSERT_TRUE(sys::Shutdown(pair_.far.get(), sys::ShutdownHow::kWrite).ok());
  EXPECT_EQ(WaitForOne().ready, kReadable | kReadClosed);
}

TEST_F(PollerTest, DataAndTheEndBehindItComeInOneEvent) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "last words"));
  ASSERT_TRUE(sys::Shutdown(pair_.far.get(), sys::ShutdownHow::kWrite).ok());
  EXPECT_EQ(WaitForOne().ready, kReadable | kReadClosed);
}

TEST_F(PollerTest, AHangupConcernsBothDirections) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable | kWritable).ok());
  EXPECT_EQ(WaitForOne().ready, kWritable);
  pair_.far.Reset();
  constexpr uint32_t kBoth = kReadable | kReadClosed | kWritable;
  EXPECT_EQ(WaitForAll(7, kBoth), kBoth);
}

TEST_F(PollerTest, AnErrorConcernsBothDirectionsUnasked) {
  auto tcp = test::TcpPair();
  ASSERT_TRUE(poller_->Add(tcp.near.get(), 7, kReadable).ok());
  test::Reset(std::move(tcp.far));
  const uint32_t ready = WaitForOne().ready;
  EXPECT_EQ(ready & (kReadable | kWritable | kFailed), kReadable | kWritable | kFailed);
}

TEST_F(PollerTest, UrgentDataIsPriority) {
  auto tcp = test::TcpPair();
  ASSERT_TRUE(poller_->Add(tcp.near.get(), 7, kReadable).ok());
  ASSERT_EQ(send(tcp.far.get(), "before!", 7, MSG_OOB), 7);
  ASSERT_TRUE(test::SendAll(tcp.far.get(), "behind"));
  EXPECT_EQ(WaitForAll(7, kReadable | kPriority), kReadable | kPriority);
}

TEST_F(PollerTest, RemovedOnesAreSilentAndMayBeAddedAgain) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  poller_->Remove(pair_.near.get());
  poller_->Remove(pair_.near.get());  // not there: harmless
  poller_->Remove(-1);
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  EXPECT_FALSE(IsReadable());
  EXPECT_TRUE(Wait().empty());
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 8, kReadable).ok());
  EXPECT_EQ(WaitForOne().tag, 8u);
}

TEST_F(PollerTest, RemoveSilencesADescriptorOfWhichADuplicateLives) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  const OwnFd copy = std::move(sys::Duplicate(pair_.near.get()).value());
  poller_->Remove(pair_.near.get());
  pair_.near.Reset();
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  EXPECT_TRUE(Wait().empty());
}

TEST_F(PollerTest, ClosingTheDescriptorRemovesIt) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  const int number = pair_.near.get();
  pair_ = {};
  pair_ = test::UnixPair();
  ASSERT_EQ(pair_.near.get(), number) << "the lowest that is free";
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  EXPECT_TRUE(Wait().empty());
  ASSERT_TRUE(poller_->Add(number, 8, kReadable).ok());
  EXPECT_EQ(WaitForOne().tag, 8u);
}

TEST_F(PollerTest, EventsHarvestedBeforeARemoveCarryTheTagOfTheirOwnRegistration) {
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  const auto stale = Wait();
  poller_->Remove(pair_.near.get());
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 8, kReadable).ok());
  const auto fresh = Wait();
  ASSERT_EQ(stale.size(), 1u);
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(stale[0].tag, 7u);
  EXPECT_EQ(fresh[0].tag, 8u);
}

TEST_F(PollerTest, TheLargestTagComesThrough) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), Poller::kMaxTag, kWritable).ok());
  EXPECT_EQ(WaitForOne().tag, Poller::kMaxTag);
}

TEST_F(PollerTest, FdStaysReadableUntilTheLastEventIsTaken) {
  constexpr uint64_t kMany = 100;
  std::vector<test::Pair> pairs;
  for (uint64_t tag = 0; tag < kMany; ++tag) {
    pairs.push_back(test::UnixPair());
    ASSERT_TRUE(test::SendAll(pairs.back().far.get(), "x"));
    ASSERT_TRUE(poller_->Add(pairs.back().near.get(), tag, kReadable).ok());
  }
  std::set<uint64_t> seen;
  std::array<Event, 16> events;
  while (IsReadable()) {
    const size_t n = poller_->Wait(events, 0);
    ASSERT_GT(n, 0u);
    for (size_t i = 0; i < n; ++i) EXPECT_TRUE(seen.insert(events[i].tag).second);
  }
  EXPECT_EQ(seen.size(), kMany);
  EXPECT_EQ(poller_->Wait(events, 0), 0u);
}

TEST_F(PollerTest, WaitWithoutRoomTakesNothing) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kWritable).ok());
  EXPECT_EQ(poller_->Wait({}, 0), 0u);
  EXPECT_EQ(Wait().size(), 1u);
}

TEST_F(PollerTest, TheTimerIsNeverEarlyAndDisarmsItself) {
  for (const int64_t delay : {0 * kMs, kMs / 3, kMs, 3 * kMs, 20 * kMs}) {
    const int64_t when = MonotonicNow() + delay;
    ASSERT_TRUE(poller_->Arm(when).ok());
    EXPECT_EQ(poller_->armed(), when);
    ASSERT_TRUE(test::AwaitReadable(poller_->fd()));
    EXPECT_GE(MonotonicNow(), when);
    EXPECT_TRUE(Wait().empty()) << "an elapsed timer is no event";
    EXPECT_EQ(poller_->armed(), kNever);
    EXPECT_FALSE(IsReadable());
  }
}

TEST_F(PollerTest, TheTimerEndsABlockingWait) {
  const int64_t when = MonotonicNow() + 5 * kMs;
  ASSERT_TRUE(poller_->Arm(when).ok());
  EXPECT_TRUE(Wait(-1).empty());
  EXPECT_GE(MonotonicNow(), when);
}

TEST_F(PollerTest, ArmingInThePastFiresAtOnce) {
  for (const int64_t when : {INT64_MIN, int64_t{0}, int64_t{1}, MonotonicNow() - 1}) {
    ASSERT_TRUE(poller_->Arm(when).ok());
    EXPECT_TRUE(test::AwaitReadable(poller_->fd()));
    Wait();
  }
}

TEST_F(PollerTest, ArmingAgainMovesTheTimerBothWays) {
  const int64_t start = MonotonicNow();
  ASSERT_TRUE(poller_->Arm(start + 3'600'000 * kMs).ok());
  ASSERT_TRUE(poller_->Arm(start + 5 * kMs).ok());
  Wait(-1);
  EXPECT_GE(MonotonicNow(), start + 5 * kMs);
  ASSERT_TRUE(poller_->Arm(MonotonicNow()).ok());
  ASSERT_TRUE(poller_->Arm(start + 3'600'000 * kMs).ok());
  EXPECT_FALSE(IsReadable()) << "an expiry that was moved away must not show";
  ASSERT_TRUE(poller_->Arm(kNever).ok());
  EXPECT_EQ(poller_->armed(), kNever);
}

TEST_F(PollerTest, TheLargestTimesCanBeArmed) {
  for (const int64_t when : {kNever - 1, kNever / 2}) EXPECT_TRUE(poller_->Arm(when).ok());
  EXPECT_FALSE(IsReadable());
}

TEST_F(PollerTest, WakeMakesFdReadableAndSeveralMergeIntoOne) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) poller_->Wake();
    EXPECT_TRUE(IsReadable());
    EXPECT_TRUE(Wait().empty()) << "a Wake is no event";
    EXPECT_FALSE(IsReadable());
  }
}

TEST_F(PollerTest, WakeFromAnotherThreadEndsABlockingWait) {
  std::thread other([this] { poller_->Wake(); });
  EXPECT_TRUE(Wait(-1).empty());
  other.join();
}

TEST_F(PollerTest, NoWakeOfManyThreadsIsLost) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::atomic<int> posted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        posted.fetch_add(1);
        poller_->Wake();
      }
    });
  }
  // Ends only if the wake after the last post is seen: a wait that missed it would block for ever.
  while (posted.load() < kThreads * kEach) Wait(-1);
  for (auto& thread : threads) thread.join();
}

// What woke fd() may be gone by the time it is asked again: it must not stay readable for it.
TEST_F(PollerTest, FdIsNotReadableForReadinessThatHasPassed) {
  ASSERT_TRUE(poller_->Add(pair_.near.get(), 7, kReadable).ok());
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  EXPECT_TRUE(IsReadable());
  EXPECT_EQ(test::ReceiveSome(pair_.near.get()), "x");
  EXPECT_FALSE(IsReadable());
  EXPECT_TRUE(Wait().empty());
}

}  // namespace
}  // namespace spliceway
