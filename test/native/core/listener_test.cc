#include "core/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "support/descriptors.h"
#include "support/pair.h"
#include "support/seat.h"
#include "sys/fault.h"

namespace spliceway {
namespace {

using test::kMs;
using test::Told;

class ListenerTest : public testing::Test {
 protected:
  void Start(bool with_reserve) {
    auto listening = test::ListenTcp(128);
    addr_ = listening.addr;
    OwnFd reserve;
    if (with_reserve) reserve = std::move(sys::OpenReserve().value());
    listener_ = seat_.AdoptListener(std::move(listening.fd), std::move(reserve));
  }
  void SetUp() override { Start(true); }

  std::vector<OwnFd> Dial(int count) {
    std::vector<OwnFd> clients;
    for (int i = 0; i < count; ++i) clients.push_back(test::DialBlocking(addr_));
    return clients;
  }
  // A socket made now, to be connected when there are no descriptors left.
  static OwnFd Unconnected() {
    return std::move(sys::Socket(sys::Family::kIp4, sys::SocketType::kStream).value());
  }
  void Connect(const OwnFd& client) {
    (void)sys::Connect(client.get(), addr_).ok();
    EXPECT_TRUE(test::Await(client.get(), POLLOUT));
    EXPECT_EQ(sys::PendingError(client.get()), 0);
  }
  int64_t Accept(size_t at_most = 16, Call call = Call::kNew) {
    ids_.fill(-1);
    return listener_->Accept({ids_.data(), at_most}, call);
  }
  uint32_t WaitForOne() { return seat_.WaitFor(listener_, Side::kRead); }
  // Accepting until the table is found full, which begins a pause.
  void RunIntoPause(int error = EMFILE) {
    ASSERT_EQ(WaitForOne(), kNoticeReadable);
    ASSERT_EQ(Accept(), -error);
    ASSERT_TRUE(listener_->paused());
  }
  // Waits for the end of the pause that began at `start`; it must last as long as it should.
  void ExpectPause(int64_t start, int64_t length) {
    EXPECT_EQ(WaitForOne(), kNoticeReadable);
    EXPECT_GE(MonotonicNow(), start + length);
    EXPECT_FALSE(listener_->paused());
  }

  test::Seat seat_;
  Listener* listener_ = nullptr;
  SockAddr addr_;
  std::array<int32_t, 16> ids_{};
};

TEST_F(ListenerTest, AnEmptyQueueIsAgain) {
  EXPECT_EQ(Accept(), kAgain);
  seat_.Turn();
  EXPECT_EQ(Accept(), kAgain);
}

TEST_F(ListenerTest, AcceptsAStreamThatWorksAndKnowsItsPeer) {
  const auto clients = Dial(1);
  EXPECT_EQ(WaitForOne(), kNoticeReadable);
  ASSERT_EQ(Accept(), 1);
  auto* stream = static_cast<Stream*>(seat_.reactor().Find(ids_[0]));
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->type(), Pollable::Type::kStream);
  EXPECT_EQ(stream->kind(), Stream::Kind::kTcp);
  EXPECT_EQ(stream->peer().Port(), sys::LocalAddr(clients[0].get()).value().Port());
  EXPECT_EQ(stream->Write("hello", 5, Call::kNew), 5);
  EXPECT_EQ(test::ReceiveSome(clients[0].get()), "hello");
  ASSERT_TRUE(test::SendAll(clients[0].get(), "hi"));
  EXPECT_EQ(seat_.WaitFor(stream, Side::kRead), kNoticeReadable);
  char p[8];
  EXPECT_EQ(stream->Read(p, sizeof(p), Call::kResumed), 2);
}

TEST_F(ListenerTest, TakesNoConnectionUnasked) {
  const auto clients = Dial(3);
  ASSERT_TRUE(test::AwaitReadable(seat_.reactor().fd()));
  seat_.Turn();
  EXPECT_EQ(seat_.reactor().size(), 1u);
  EXPECT_EQ(Accept(1), 1);
  EXPECT_EQ(seat_.reactor().size(), 2u);
}

TEST_F(ListenerTest, TakesWhatNoEventHasToldOfOnlyWhenItIsToRecheck) {
  const auto clients = Dial(3);
  EXPECT_EQ(Accept(), kAgain);
  listener_->Recheck();
  EXPECT_EQ(Accept(), 3);
  EXPECT_EQ(Accept(), kAgain);
}

TEST_F(ListenerTest, TakesNoMoreThanAskedForAndTheRestWithoutAnotherEdge) {
  const auto clients = Dial(5);
  WaitForOne();
  EXPECT_EQ(Accept(2), 2);
  EXPECT_TRUE(listener_->ready(Side::kRead));
  EXPECT_EQ(WaitForOne(), kNoticeReadable);
  EXPECT_EQ(Accept(2), 2);
  EXPECT_EQ(Accept(2), 1);
  EXPECT_EQ(Accept(2), kAgain);
  EXPECT_EQ(Accept(0), kAgain);
}

TEST_F(ListenerTest, EachConnectionThatComesLaterIsToldToo) {
  for (int i = 0; i < 3; ++i) {
    const auto client = Dial(1);
    EXPECT_EQ(WaitForOne(), kNoticeReadable);
    EXPECT_EQ(Accept(), 1);
    EXPECT_EQ(Accept(), kAgain);
  }
}

TEST_F(ListenerTest, ADeadlineEndsTheWaitAndNewCallsButNotTheQueue) {
  const int64_t when = test::SetDeadlineAhead({listener_}, Side::kRead, 2 * kMs);
  EXPECT_EQ(WaitForOne(), kNoticeReadExpired);
  EXPECT_GE(MonotonicNow(), when);
  const auto clients = Dial(1);
  EXPECT_EQ(Accept(), kExpired);
  listener_->SetDeadline(Side::kRead, kNever);
  EXPECT_EQ(WaitForOne(), kNoticeReadable);
  EXPECT_EQ(Accept(), 1);
}

TEST_F(ListenerTest, ClosingItResetsWhatQueues) {
  const auto clients = Dial(1);
  seat_.reactor().Close(listener_);
  EXPECT_EQ(test::ReceiveSome(clients[0].get()), "");
}

TEST_F(ListenerTest, ErrorsThatAreNoShortageComeOutWithoutAPause) {
  const auto clients = Dial(1);
  WaitForOne();
  sys::fault::Script script;
  script.On(sys::fault::kAccept).Then(EPROTO).Then(EINTR).Then(ECONNABORTED);
  EXPECT_EQ(Accept(), -EPROTO);
  EXPECT_FALSE(listener_->paused());
  EXPECT_EQ(Accept(), 1);
  EXPECT_TRUE(script.done());
}

TEST_F(ListenerTest, AnErrorAfterSomeWereAcceptedIsForTheNextCall) {
  const auto clients = Dial(2);
  WaitForOne();
  sys::fault::Script script;
  script.On(sys::fault::kAccept).Pass().Then(EPROTO, 2);
  EXPECT_EQ(Accept(), 1);
  EXPECT_EQ(Accept(), -EPROTO);
  EXPECT_EQ(Accept(), 1);
}

class EveryShortage : public ListenerTest, public testing::WithParamInterface<int> {};

TEST_P(EveryShortage, IsReportedOnceAndPausesTheListener) {
  const auto clients = Dial(1);
  WaitForOne();
  sys::fault::Script script;
  script.On(sys::fault::kAccept).Then(GetParam());
  const int64_t start = MonotonicNow();
  EXPECT_EQ(Accept(), -GetParam());
  EXPECT_TRUE(listener_->paused());
  EXPECT_EQ(Accept(), kAgain);
  EXPECT_TRUE(script.done());
  ExpectPause(start, 5 * kMs);
  EXPECT_EQ(Accept(), 1);
}

INSTANTIATE_TEST_SUITE_P(Errors, EveryShortage, testing::Values(EMFILE, ENFILE, ENOBUFS, ENOMEM));

TEST_F(ListenerTest, InAFullTableItPausesAndRefusesNobodyAtFirst) {
  const auto clients = Dial(1);
  std::optional<test::FullTable> full(std::in_place);
  const int64_t start = MonotonicNow();
  RunIntoPause();
  EXPECT_EQ(listener_->refused(), 0u);
  EXPECT_EQ(Accept(), kAgain);
  full.reset();
  ExpectPause(start, 5 * kMs);
  EXPECT_EQ(Accept(), 1);
  EXPECT_EQ(listener_->refused(), 0u);
  EXPECT_EQ(seat_.reactor().size(), 2u);
}

TEST_F(ListenerTest, ATableStillFullAfterAPauseHasTheQueueRefusedThroughTheReserve) {
  const auto clients = Dial(3);
  const auto before = test::OpenDescriptors().size();
  std::optional<test::FullTable> full(std::in_place);
  RunIntoPause();
  EXPECT_EQ(WaitForOne(), kNoticeReadable);
  EXPECT_EQ(Accept(), -EMFILE);
  EXPECT_EQ(listener_->refused(), 3u);
  for (const OwnFd& client : clients) EXPECT_EQ(test::ReceiveSome(client.get()), "");
  EXPECT_EQ(seat_.reactor().size(), 1u);
  full.reset();
  EXPECT_EQ(test::OpenDescriptors().size(), before) << "the reserve is there again";
  const auto later = Dial(1);
  EXPECT_EQ(WaitForOne(), kNoticeReadable);
  EXPECT_EQ(Accept(), 1);
}

TEST_F(ListenerTest, RefusesAtEveryPauseThatEndsInAFullTable) {
  std::vector<OwnFd> clients(3);
  for (OwnFd& client : clients) client = Unconnected();
  const test::FullTable full;
  Connect(clients[0]);
  RunIntoPause();
  for (uint64_t refused = 1; refused <= 2; ++refused) {
    EXPECT_EQ(WaitForOne(), kNoticeReadable);
    EXPECT_EQ(Accept(), -EMFILE);
    EXPECT_EQ(listener_->refused(), refused);
    Connect(clients[refused]);
  }
}

TEST_F(ListenerTest, WithoutAReserveClientsWaitUntilThereIsRoom) {
  seat_.reactor().Close(listener_);
  Start(false);
  const auto clients = Dial(2);
  std::optional<test::FullTable> full(std::in_place);
  RunIntoPause();
  EXPECT_EQ(WaitForOne(), kNoticeReadable);
  EXPECT_EQ(Accept(), -EMFILE);
  EXPECT_EQ(listener_->refused(), 0u);
  full.reset();
  EXPECT_EQ(WaitForOne(), kNoticeReadable);
  EXPECT_EQ(Accept(), 2);
}

TEST_F(ListenerTest, EachPauseIsTwiceAsLongAsTheOneBefore) {
  seat_.reactor().Close(listener_);
  Start(false);
  const auto clients = Dial(1);
  const test::FullTable full;
  int64_t start = MonotonicNow();
  RunIntoPause();
  for (int64_t length = 5 * kMs; length <= 40 * kMs; length *= 2) {
    ExpectPause(start, length);
    start = MonotonicNow();
    EXPECT_EQ(Accept(), -EMFILE);
  }
}

TEST_F(ListenerTest, AcceptingAgainEndsTheShortage) {
  const auto clients = Dial(2);
  std::optional<test::FullTable> full(std::in_place);
  RunIntoPause();
  full.reset();
  WaitForOne();
  EXPECT_EQ(Accept(1), 1);
  full.emplace();
  EXPECT_EQ(Accept(1), -EMFILE);
  EXPECT_EQ(listener_->refused(), 0u) << "the first pause of a shortage refuses nobody";
}

// Whoever connects meanwhile would otherwise end each pause at once: a busy loop that refuses
// everybody, where a moment's patience might have done.
TEST_F(ListenerTest, AConnectionThatComesDuringAPauseDoesNotEndIt) {
  std::vector<OwnFd> clients(2);
  for (OwnFd& client : clients) client = Unconnected();
  const test::FullTable full;
  Connect(clients[0]);
  const int64_t start = MonotonicNow();
  RunIntoPause();
  Connect(clients[1]);
  ExpectPause(start, 5 * kMs);
}

TEST_F(ListenerTest, ClosingItDuringAPauseIsTheEndOfIt) {
  const auto clients = Dial(1);
  const test::FullTable full;
  const int64_t start = MonotonicNow();
  RunIntoPause();
  listener_->SetAwait(Side::kRead, Await::kOnce);
  seat_.reactor().Close(listener_);
  while (MonotonicNow() < start + 7 * kMs) EXPECT_TRUE(seat_.Turn().empty());
}

TEST_F(ListenerTest, ADeadlineDuringAPauseIsToldOnItsOwnTime) {
  const auto clients = Dial(1);
  const test::FullTable full;
  for (int i = 0; i < 3; ++i) RunIntoPause();  // 5, 10, and now 20 ms
  const int64_t when = test::SetDeadlineAhead({listener_}, Side::kRead, 2 * kMs);
  while ((WaitForOne() & kNoticeReadExpired) == 0) {
  }
  EXPECT_GE(MonotonicNow(), when);
  EXPECT_EQ(Accept(), kExpired);
}

}  // namespace
}  // namespace spliceway
