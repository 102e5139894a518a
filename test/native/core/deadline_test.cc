// Deadlines as a handle keeps them: core/pollable.h.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "core/reactor.h"
#include "support/pair.h"
#include "support/seat.h"

namespace spliceway {
namespace {

using test::kMs;
using test::Told;

class Deadline : public testing::Test {
 protected:
  static constexpr int64_t kHour = 3'600'000 * kMs;

  int64_t Read(Call call = Call::kNew) {
    char p[16];
    return stream_->Read(p, sizeof(p), call);
  }
  int64_t Write(Call call = Call::kNew) { return stream_->Write("x", 1, call); }
  // Turns, at least once when the clock has passed the instant, and what was told by then.
  std::vector<Told> TurnPast(int64_t when) {
    std::vector<Told> all;
    for (bool past = false; !past || seat_.reactor().has_work();) {
      past = MonotonicNow() > when + 2 * kMs;
      const auto told = seat_.Turn();
      all.insert(all.end(), told.begin(), told.end());
    }
    return all;
  }
  Told Notice(uint32_t bits) const { return {stream_->id(), bits}; }

  test::Seat seat_;
  test::Pair pair_ = test::UnixPair();
  Stream* stream_ = seat_.Adopt(std::move(pair_.near), Stream::Kind::kUnix);
};

TEST_F(Deadline, OfOneSideLeavesTheOtherAlone) {
  EXPECT_TRUE(stream_->SetDeadline(Side::kRead, MonotonicNow() - 1));
  EXPECT_EQ(Read(), kExpired);
  EXPECT_EQ(Write(), 1);
  EXPECT_TRUE(stream_->Expired(Side::kRead));
  EXPECT_FALSE(stream_->Expired(Side::kWrite));
  EXPECT_FALSE(stream_->SetDeadline(Side::kRead, kNever));
  EXPECT_TRUE(stream_->SetDeadline(Side::kWrite, MonotonicNow() - 1));
  EXPECT_EQ(Read(), kAgain);
  EXPECT_EQ(Write(), kExpired);
}

TEST_F(Deadline, InThePastIsReportedAtOnceAndNotToldBesides) {
  stream_->SetAwait(Side::kRead, Await::kOnce);
  for (const int64_t past : {INT64_MIN, int64_t{0}, int64_t{1}, MonotonicNow()}) {
    EXPECT_TRUE(stream_->SetDeadline(Side::kRead, past));
    EXPECT_EQ(Read(), kExpired);
  }
  EXPECT_TRUE(TurnPast(MonotonicNow()).empty());
}

TEST_F(Deadline, IsSticky) {
  stream_->SetDeadline(Side::kRead, MonotonicNow() - 1);
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  seat_.Turn();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Read(), kExpired) << "though there is something to read";
}

TEST_F(Deadline, ThatIsSetAnewOrClearedRevivesItsSide) {
  for (const int64_t anew : {MonotonicNow() + kHour, kNever}) {
    stream_->SetDeadline(Side::kRead, MonotonicNow() - 1);
    EXPECT_EQ(Read(), kExpired);
    EXPECT_FALSE(stream_->SetDeadline(Side::kRead, anew));
    EXPECT_EQ(Read(), kAgain);
  }
}

TEST_F(Deadline, IsToldToWhoeverAwaitsThatSideOnceAndNeverEarly) {
  stream_->SetAwait(Side::kRead, Await::kOnce);
  const int64_t when = test::SetDeadlineAhead({stream_}, Side::kRead, 3 * kMs);
  EXPECT_EQ(seat_.AwaitNotice(stream_), kNoticeReadExpired);
  EXPECT_GE(MonotonicNow(), when);
  EXPECT_EQ(seat_.reactor().alive(), 0);
  EXPECT_TRUE(TurnPast(MonotonicNow()).empty());
  EXPECT_EQ(Read(), kExpired);
}

TEST_F(Deadline, OfBothSidesCanBeToldTogether) {
  // A stream just made has room to write, so first there is a notice that it has.
  test::FillUp(stream_->fd());
  const std::vector<char> much(1 << 20);
  ASSERT_EQ(stream_->Write(much.data(), much.size(), Call::kNew), kAgain);
  stream_->SetAwait(Side::kRead, Await::kOnce);
  stream_->SetAwait(Side::kWrite, Await::kOnce);
  test::SetDeadlineAhead({stream_}, Side::kRead, 3 * kMs);
  const int64_t when = test::SetDeadlineAhead({stream_}, Side::kWrite, 3 * kMs);
  while (MonotonicNow() <= when + kMs) std::this_thread::yield();  // both are due
  EXPECT_EQ(TurnPast(when), (std::vector<Told>{Notice(kNoticeReadExpired | kNoticeWriteExpired)}));
}

TEST_F(Deadline, StopsNewCallsEvenBeforeAnyTurnHasRun) {
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  seat_.Turn();
  const int64_t when = MonotonicNow() + kMs;
  stream_->SetDeadline(Side::kRead, when);
  while (MonotonicNow() < when) std::this_thread::yield();
  EXPECT_EQ(Read(Call::kNew), kExpired);
  EXPECT_EQ(Read(Call::kResumed), 1) << "a call that waits takes what came before";
}

TEST_F(Deadline, MovedLaterFiresAtItsNewTime) {
  stream_->SetAwait(Side::kRead, Await::kOnce);
  const int64_t start = MonotonicNow();
  stream_->SetDeadline(Side::kRead, start + 2 * kMs);
  stream_->SetDeadline(Side::kRead, start + 15 * kMs);
  EXPECT_EQ(seat_.AwaitNotice(stream_), kNoticeReadExpired);
  EXPECT_GE(MonotonicNow(), start + 15 * kMs);
}

TEST_F(Deadline, MovedEarlierFiresAtItsNewTime) {
  stream_->SetAwait(Side::kRead, Await::kOnce);
  stream_->SetDeadline(Side::kRead, MonotonicNow() + kHour);
  test::SetDeadlineAhead({stream_}, Side::kRead, 3 * kMs);
  EXPECT_EQ(seat_.AwaitNotice(stream_), kNoticeReadExpired);
}

TEST_F(Deadline, ClearedDoesNotFire) {
  stream_->SetAwait(Side::kRead, Await::kOnce);
  const int64_t when = MonotonicNow() + 2 * kMs;
  stream_->SetDeadline(Side::kRead, when);
  stream_->SetDeadline(Side::kRead, kNever);
  EXPECT_TRUE(TurnPast(when).empty());
  EXPECT_EQ(Read(), kAgain);
}

// The timer fired in this turn, but its notice is still queued when the deadline is moved.
TEST_F(Deadline, MovedAfterItFiredAndBeforeItWasToldIsNotTold) {
  test::Seat seat(1);
  auto one = test::UnixPair();
  auto two = test::UnixPair();
  Stream* const streams[] = {seat.Adopt(std::move(one.near), Stream::Kind::kUnix),
                             seat.Adopt(std::move(two.near), Stream::Kind::kUnix)};
  for (Stream* stream : streams) stream->SetAwait(Side::kRead, Await::kOnce);
  test::SetDeadlineAhead({streams[0], streams[1]}, Side::kRead, 2 * kMs);
  std::vector<Told> told;
  while (told.empty()) told = seat.Turn();
  Stream* untold = told[0].id == streams[0]->id() ? streams[1] : streams[0];
  EXPECT_FALSE(untold->SetDeadline(Side::kRead, MonotonicNow() + kHour));
  EXPECT_TRUE(seat.Turn().empty());
  EXPECT_TRUE(untold->awaited(Side::kRead)) << "it goes on waiting";
}

TEST_F(Deadline, OfAClosedHandleIsForgotten) {
  stream_->SetAwait(Side::kRead, Await::kOnce);
  const int64_t when = MonotonicNow() + 2 * kMs;
  stream_->SetDeadline(Side::kRead, when);
  stream_->SetDeadline(Side::kWrite, when);
  seat_.reactor().Close(stream_);
  EXPECT_TRUE(TurnPast(when).empty());
}

TEST_F(Deadline, ExpiryWakesAlwaysAwaitingOwnersTooAndDataStillFollows) {
  stream_->SetAwait(Side::kRead, Await::kAlways);
  const int64_t when = test::SetDeadlineAhead({stream_}, Side::kRead, 2 * kMs);
  EXPECT_EQ(TurnPast(when), (std::vector<Told>{Notice(kNoticeReadExpired)}));
  ASSERT_TRUE(test::SendAll(pair_.far.get(), "x"));
  EXPECT_EQ(seat_.Turn(), (std::vector<Told>{Notice(kNoticeReadable)}));
}

TEST_F(Deadline, WatchedHandlesAreBusyForEverybodyElse) {
  class Silent : public Watcher {
    void OnNotice(Pollable&, uint32_t) override {}
  } watcher;
  stream_->SetWatcher(&watcher);
  EXPECT_EQ(Read(), kBusy);
  EXPECT_EQ(Write(), kBusy);
  stream_->SetWatcher(nullptr);
  EXPECT_EQ(Read(), kAgain);
}

}  // namespace
}  // namespace spliceway
