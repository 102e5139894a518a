#include "core/lease.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "support/pair.h"
#include "support/seat.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

class LendTest : public testing::TestWithParam<Stream::Kind> {
 protected:
  test::Pair pair = GetParam() == Stream::Kind::kTcp ? test::TcpPair() : test::UnixPair();
  test::Seat seat;
  const int fd = pair.near.get();
  Stream* stream = seat.Adopt(std::move(pair.near), GetParam());
};
INSTANTIATE_TEST_SUITE_P(Kinds, LendTest, testing::Values(Stream::Kind::kTcp, Stream::Kind::kUnix));

TEST_P(LendTest, NoReadinessIsToldWhileADirectionIsLent) {
  ASSERT_TRUE(test::SendAll(pair.far.get(), "before"));
  auto lease = stream->Lend(Side::kRead);
  ASSERT_TRUE(test::SendAll(pair.far.get(), "meanwhile"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(seat.Turn(10).empty());
  lease.reset();
  ASSERT_TRUE(stream->TakeBack(Side::kRead).ok());
  EXPECT_FALSE(stream->lent(Side::kRead));
  EXPECT_EQ(seat.WaitFor(stream, Side::kRead), kNoticeReadable);
  char p[64];
  EXPECT_EQ(stream->Read(p, sizeof(p), Call::kNew), 15);
}

// Whoever had it has read the edge away; only a call can tell.
TEST_P(LendTest, TakenBackACallIsWorthTrying) {
  auto lease = stream->Lend(Side::kRead);
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  EXPECT_EQ(test::ReceiveSome(fd), "x");
  lease.reset();
  ASSERT_TRUE(stream->TakeBack(Side::kRead).ok());
  char p;
  EXPECT_EQ(stream->Read(&p, 1, Call::kNew), kAgain);
  ASSERT_TRUE(test::SendAll(pair.far.get(), "y"));
  EXPECT_EQ(seat.WaitFor(stream, Side::kRead), kNoticeReadable);
}

TEST_P(LendTest, TheOtherDirectionGoesOn) {
  auto lease = stream->Lend(Side::kRead);
  EXPECT_TRUE(stream->lent(Side::kRead));
  EXPECT_FALSE(stream->lent(Side::kWrite));
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), 1);
  const size_t full = test::FillUp(fd);
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), kAgain);
  stream->SetAwait(Side::kWrite, Await::kOnce);
  EXPECT_EQ(test::DrainAtLeast(pair.far.get(), full + 1), full + 1);
  EXPECT_EQ(seat.AwaitNotice(stream), kNoticeWritable);
}

TEST_P(LendTest, BothDirectionsMayBeLentAndComeBackOneByOne) {
  auto reading = stream->Lend(Side::kRead);
  auto writing = stream->Lend(Side::kWrite);
  EXPECT_EQ(reading, writing);
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  EXPECT_TRUE(seat.Turn(10).empty());
  writing.reset();
  ASSERT_TRUE(stream->TakeBack(Side::kWrite).ok());
  EXPECT_EQ(seat.WaitFor(stream, Side::kWrite), kNoticeWritable);
  EXPECT_TRUE(stream->lent(Side::kRead));
  reading.reset();
  ASSERT_TRUE(stream->TakeBack(Side::kRead).ok());
  EXPECT_EQ(seat.WaitFor(stream, Side::kRead), kNoticeReadable);
}

TEST_P(LendTest, DeadlinesAreToldOfADirectionThatIsLent) {
  for (const Side side : {Side::kRead, Side::kWrite}) {
    const auto lease = stream->Lend(side);
    test::SetDeadlineAhead({stream}, side, 5 * test::kMs);
    const uint32_t expired = side == Side::kRead ? kNoticeReadExpired : kNoticeWriteExpired;
    EXPECT_EQ(seat.AwaitNotice(stream), expired);
    // And once more, for one that is set anew.
    test::SetDeadlineAhead({stream}, side, 5 * test::kMs);
    EXPECT_EQ(seat.AwaitNotice(stream), expired);
    stream->SetDeadline(side, kNever);
    EXPECT_TRUE(seat.Turn(10).empty());
    ASSERT_TRUE(stream->TakeBack(side).ok());
  }
}

TEST_P(LendTest, OneThatIsLentKeepsAliveIfItIsReferenced) {
  EXPECT_EQ(seat.reactor().alive(), 0);
  auto lease = stream->Lend(Side::kWrite);
  EXPECT_EQ(seat.reactor().alive(), 1);
  stream->SetRef(false);
  EXPECT_EQ(seat.reactor().alive(), 0);
  stream->SetRef(true);
  stream->SetAwait(Side::kWrite, Await::kNothing);
  EXPECT_EQ(seat.reactor().alive(), 1);
  ASSERT_TRUE(stream->TakeBack(Side::kWrite).ok());
  EXPECT_EQ(seat.reactor().alive(), 0);
}

TEST_P(LendTest, ClosedWhileItIsLentTheDescriptorStaysOpenAsLongAsTheLease) {
  auto one = stream->Lend(Side::kRead);
  auto other = stream->Lend(Side::kWrite);
  seat.reactor().Close(stream);
  EXPECT_EQ(seat.reactor().alive(), 0);
  EXPECT_TRUE(IsOpen(fd));
  ASSERT_TRUE(test::SendAll(fd, "still here"));
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "still here");
  one.reset();
  EXPECT_TRUE(IsOpen(fd));
  other.reset();
  EXPECT_FALSE(IsOpen(fd));
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "");
}

TEST_P(LendTest, ClosedAfterItCameBackItClosesAtOnce) {
  stream->Lend(Side::kRead).reset();
  ASSERT_TRUE(stream->TakeBack(Side::kRead).ok());
  seat.reactor().Close(stream);
  EXPECT_FALSE(IsOpen(fd));
}

TEST(Lease, ThatMayLingerClosesWithoutWaiting) {
  auto pair = test::TcpPair();
  const size_t sent = test::FillUp(pair.near.get());
  ASSERT_TRUE(sys::SetLinger(pair.near.get(), 30).ok());
  {
    test::Seat seat;
    Stream* stream = seat.Adopt(std::move(pair.near), Stream::Kind::kTcp);
    stream->MarkMayLinger();
    auto lease = stream->Lend(Side::kWrite);
    seat.reactor().Close(stream);
    const int64_t began = MonotonicNow();
    lease.reset();
    EXPECT_LT(MonotonicNow() - began, 5'000 * test::kMs);
  }
  EXPECT_EQ(test::DrainAtLeast(pair.far.get(), sent), sent);
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "");
}

}  // namespace
}  // namespace spliceway
