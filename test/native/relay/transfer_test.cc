// Transfers as their owner has them: through handles, on threads of a pool.
#include "relay/transfer.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "relay/transfer_handle.h"
#include "support/descriptors.h"
#include "support/pair.h"
#include "support/pattern.h"
#include "support/seat.h"
#include "sys/fault.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

using Reason = TransferResult::Reason;
using test::kMs;

TransferOptions Relay(int64_t idle_ms = 0, int64_t half_close_ms = 0) {
  return {true, idle_ms * kMs, half_close_ms * kMs};
}
constexpr TransferOptions kCopy = {};

FlowOptions Limited(uint64_t limit) {
  FlowOptions options;
  options.limit = limit;
  return options;
}
FlowOptions Rated(uint64_t rate) {
  FlowOptions options;
  options.rate = rate;
  return options;
}

// An owner: its reactor is turned by hand, and hears from the threads of its pool.
class Owner {
 public:
  explicit Owner(size_t threads = 1)
      : seat(std::make_unique<test::Seat>(1024)), pool(&seat->reactor(), threads) {}
  // In the order in which an environment ends.
  ~Owner() {
    pool.StopAll();
    seat.reset();
  }

  TransferHandle* Open(Stream* a, Stream* b, const TransferOptions& options) {
    auto* handle = seat->reactor().Adopt(
        std::make_unique<TransferHandle>(&seat->reactor(), &pool, TransferHandle::End{a->id(), {}},
                                         TransferHandle::End{b->id(), {}}));
    EXPECT_TRUE(handle->Start(options).ok());
    return handle;
  }
  // One turn, in which it may be told that transfers are over.
  void Turn(int timeout_ms) {
    for (const test::Told& told : seat->Turn(timeout_ms)) told_[told.id] |= told.notice;
    pool.Deliver();
  }
  uint32_t Told(const Pollable* handle) { return std::exchange(told_[handle->id()], 0u); }
  // Waits for its end, and gives back what was lent.
  TransferResult Finish(TransferHandle* handle) {
    const int64_t until = MonotonicNow() + 4 * test::kPatienceMs * kMs;
    while (told_[handle->id()] == 0 && MonotonicNow() < until) Turn(100);
    EXPECT_EQ(Told(handle), kNoticeReadable);
    EXPECT_TRUE(handle->ReturnLoans().ok());
    const TransferResult result = handle->result();
    seat->reactor().Close(handle);
    return result;
  }

  std::unique_ptr<test::Seat> seat;
  TransferPool pool;

 private:
  std::map<int32_t, uint32_t> told_;
};

// left ⇄ a ⇄ b ⇄ right
struct Chain {
  explicit Chain(Owner& owner, bool tcp = true) {
    auto one = tcp ? test::TcpPair() : test::UnixPair();
    auto two = tcp ? test::TcpPair() : test::UnixPair();
    const auto kind = tcp ? Stream::Kind::kTcp : Stream::Kind::kUnix;
    a = owner.seat->Adopt(std::move(one.near), kind);
    b = owner.seat->Adopt(std::move(two.near), kind);
    left = std::move(one.far);
    right = std::move(two.far);
  }
  OwnFd left, right;
  Stream* a;
  Stream* b;
};

void SendFin(const OwnFd& fd) { shutdown(fd.get(), SHUT_WR); }

class TransferTest : public testing::Test {
 protected:
  TransferHandle* Began(const TransferOptions& options, const FlowOptions& flow = {}) {
    auto* handle = owner.Open(chain.a, chain.b, options);
    for (int i = 0; i < (options.relay ? 2 : 1); ++i) {
      const auto refusal = handle->Begin(i, flow);
      EXPECT_EQ(refusal.at_source, 0);
      EXPECT_EQ(refusal.at_sink, 0);
    }
    return handle;
  }
  // Waits until the thread has done all that it was told to before.
  void Settle() {
    Chain spare(owner);
    TransferHandle* last = owner.Open(spare.a, spare.b, kCopy);
    last->Stop();
    EXPECT_EQ(owner.Finish(last).reason, Reason::kStopped);
  }
  // Passes a word on, so that what comes next comes while it runs.
  void Exchange(const OwnFd& from, const OwnFd& to, const std::string& word = "word") {
    ASSERT_TRUE(test::SendAll(from.get(), word));
    EXPECT_EQ(test::ReceiveSome(to.get()), word);
  }

  Owner owner;
  Chain chain{owner};
};

TEST_F(TransferTest, ARelayPassesBothDirectionsOnAndTheirFins) {
  TransferHandle* handle = Began(Relay());
  Exchange(chain.left, chain.right, "question");
  Exchange(chain.right, chain.left, "the answer");
  SendFin(chain.right);
  EXPECT_EQ(test::ReceiveSome(chain.left.get()), "");
  Exchange(chain.left, chain.right, "more");
  EXPECT_EQ(owner.Told(handle), 0u);
  SendFin(chain.left);
  EXPECT_EQ(test::ReceiveSome(chain.right.get()), "");
  while (handle->delivered(0) != 12) std::this_thread::yield();
  EXPECT_EQ(handle->delivered(1), 10u);
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.reason, Reason::kEnd);
  EXPECT_EQ(result.ended_by, 1);
  EXPECT_EQ(result.error, 0);
}

TEST_F(TransferTest, ACopyPassesNoFinOnAndGivesBothBack) {
  TransferHandle* handle = Began(kCopy);
  EXPECT_TRUE(chain.a->lent(Side::kRead));
  EXPECT_TRUE(chain.b->lent(Side::kWrite));
  EXPECT_FALSE(chain.a->lent(Side::kWrite));
  EXPECT_EQ(owner.seat->reactor().alive(), 2) << "the two, and not the transfer";
  Exchange(chain.left, chain.right);
  SendFin(chain.left);
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.reason, Reason::kEnd);
  EXPECT_EQ(result.ended_by, 0);
  EXPECT_EQ(owner.seat->reactor().alive(), 0);
  EXPECT_EQ(chain.b->Write("more", 4, Call::kNew), 4);
  EXPECT_EQ(test::ReceiveSome(chain.right.get()), "more");
  char p;
  EXPECT_EQ(chain.a->Read(&p, 1, Call::kNew), 0);
}

TEST_F(TransferTest, ALimitEndsAndLeavesTheRest) {
  ASSERT_TRUE(test::SendAll(chain.left.get(), "0123456789"));
  const TransferResult copied = owner.Finish(Began(kCopy, Limited(4)));
  EXPECT_EQ(copied.reason, Reason::kEnd);
  EXPECT_EQ(test::ReceiveSome(chain.right.get()), "0123");
  const TransferResult relayed = owner.Finish(Began(Relay(), Limited(3)));
  EXPECT_EQ(relayed.reason, Reason::kLimit);
  EXPECT_EQ(relayed.ended_by, -1);
  EXPECT_EQ(test::ReceiveSome(chain.right.get()), "456");
  EXPECT_EQ(test::ReceiveSome(chain.right.get()), "") << "its peers know that a relay is over";
  EXPECT_EQ(test::ReceiveSome(chain.left.get()), "");
}

TEST_F(TransferTest, ARateHoldsItBack) {
  const std::string all = test::Pattern(60'000);
  ASSERT_TRUE(test::SendAll(chain.left.get(), all));
  SendFin(chain.left);
  const int64_t began = MonotonicNow();
  TransferHandle* handle = Began(kCopy, Rated(100'000));
  std::string got;
  while (got.size() < all.size()) got += test::ReceiveSome(chain.right.get());
  // A tenth of a second's worth is there at once.
  EXPECT_GE(MonotonicNow() - began, 450 * kMs);
  EXPECT_TRUE(got == all);
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kEnd);
}

TEST_F(TransferTest, IdlenessEndsARelayThatNothingMovesIn) {
  const int64_t began = MonotonicNow();
  TransferHandle* handle = Began(Relay(60));
  for (int i = 0; i < 5; ++i) {
    Exchange(chain.left, chain.right);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const TransferResult result = owner.Finish(handle);
  EXPECT_GE(MonotonicNow() - began, 140 * kMs);
  EXPECT_EQ(result.reason, Reason::kIdle);
  EXPECT_EQ(result.ended_by, -1);
  EXPECT_EQ(test::ReceiveSome(chain.left.get()), "");
  EXPECT_EQ(test::ReceiveSome(chain.right.get()), "");
}

TEST_F(TransferTest, AHalfCloseHasATimeoutOfItsOwn) {
  TransferHandle* handle = Began(Relay(60'000, 50));
  Exchange(chain.left, chain.right);
  EXPECT_EQ(owner.Told(handle), 0u);
  const int64_t began = MonotonicNow();
  SendFin(chain.left);
  EXPECT_EQ(test::ReceiveSome(chain.right.get()), "");
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.reason, Reason::kHalfClosed);
  EXPECT_EQ(result.ended_by, 0);
  EXPECT_GE(MonotonicNow() - began, 50 * kMs);
}

TEST_F(TransferTest, WithoutAHalfClosesTimeoutIdlenessHoldsToTheEnd) {
  TransferHandle* handle = Began(Relay(50));
  SendFin(chain.left);
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kIdle);
}

// No FIN was passed on, so that the timeout for that is none of this.
TEST_F(TransferTest, ASinkThatFailsIsNoHalfClose) {
  TransferHandle* handle = Began(Relay(150, 1));
  shutdown(chain.b->fd(), SHUT_WR);
  const int64_t began = MonotonicNow();
  ASSERT_TRUE(test::SendAll(chain.left.get(), "too late"));
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.reason, Reason::kIdle);
  EXPECT_EQ(result.error, EPIPE);
  EXPECT_TRUE(result.failed_at_sink);
  EXPECT_EQ(result.failed_flow, 0);
  EXPECT_EQ(result.ended_by, 1);
  EXPECT_GE(MonotonicNow() - began, 100 * kMs);
}

TEST_F(TransferTest, AResetEndsItAndTheOtherSideIsTold) {
  TransferHandle* handle = Began(Relay());
  Exchange(chain.left, chain.right);
  test::Reset(std::move(chain.left));
  EXPECT_EQ(test::ReceiveSome(chain.right.get()), "") << "before the owner knows";
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.reason, Reason::kFailed);
  EXPECT_EQ(result.error, ECONNRESET);
  EXPECT_EQ(result.ended_by, 0);
  EXPECT_EQ(result.failed_flow, 0);
  EXPECT_FALSE(result.failed_at_sink);
}

TEST_F(TransferTest, ASinkThatFailsLetsTheOtherDirectionEnd) {
  shutdown(chain.b->fd(), SHUT_WR);
  TransferHandle* handle = Began(Relay());
  ASSERT_TRUE(test::SendAll(chain.left.get(), "too late"));
  Exchange(chain.right, chain.left, "still passed on");
  SendFin(chain.right);
  EXPECT_EQ(test::ReceiveSome(chain.left.get()), "");
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.reason, Reason::kFailed);
  EXPECT_EQ(result.error, EPIPE);
}

TEST_F(TransferTest, StoppedItLetsGo) {
  TransferHandle* handle = Began(kCopy);
  Exchange(chain.left, chain.right);
  handle->Stop();
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kStopped);
  ASSERT_TRUE(test::SendAll(chain.left.get(), "stays"));
  EXPECT_EQ(test::ReceiveSome(chain.a->fd()), "stays");
}

TEST_F(TransferTest, StoppedRightAfterItsBeginning) {
  TransferHandle* handle = Began(Relay());
  handle->Stop();
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kStopped);
}

TEST_F(TransferTest, StoppedBeforeItsBeginningNothingMoves) {
  ASSERT_TRUE(test::SendAll(chain.left.get(), "stays"));
  TransferHandle* handle = owner.Open(chain.a, chain.b, kCopy);
  handle->Stop();
  EXPECT_EQ(handle->Begin(0, {}).at_source, 0);
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kStopped);
  EXPECT_EQ(test::ReceiveSome(chain.a->fd()), "stays");
}

TEST_F(TransferTest, StoppedWhileItEndsItEndsOnce) {
  for (int i = 0; i < 50; ++i) {
    Chain c(owner);
    TransferHandle* handle = owner.Open(c.a, c.b, Relay());
    for (int flow = 0; flow < 2; ++flow) (void)handle->Begin(flow, {});
    SendFin(c.left);
    SendFin(c.right);
    if (i % 3 == 1) std::this_thread::yield();
    if (i % 3 == 2) test::ReceiveSome(c.right.get());
    handle->Stop();
    handle->Stop();
    handle->Nudge(0);
    const TransferResult result = owner.Finish(handle);
    EXPECT_TRUE(result.reason == Reason::kStopped || result.reason == Reason::kEnd);
    owner.Turn(0);
    for (Stream* stream : {c.a, c.b}) owner.seat->reactor().Close(stream);
  }
}

TEST_F(TransferTest, ClosedEndsAreBorrowedUntilItIsOver) {
  const auto before = test::OpenDescriptors().size();
  TransferHandle* handle = Began(Relay());
  Exchange(chain.left, chain.right);  // the thread has been started
  const auto running = test::OpenDescriptors().size();
  owner.seat->reactor().Close(chain.a);
  owner.seat->reactor().Close(chain.b);
  EXPECT_EQ(test::OpenDescriptors().size(), running);
  Exchange(chain.left, chain.right);
  handle->Stop();
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kStopped);
  EXPECT_EQ(test::OpenDescriptors().size(), running - 2);
  EXPECT_LT(before, running);
}

TEST_F(TransferTest, AnEndThatIsClosedOrExpiredRefusesABeginning) {
  TransferHandle* handle = owner.Open(chain.a, chain.b, kCopy);
  chain.a->SetDeadline(Side::kRead, 1);
  EXPECT_EQ(handle->Begin(0, {}).at_source, kExpired);
  chain.b->SetDeadline(Side::kWrite, 1);
  EXPECT_EQ(handle->Begin(0, {}).at_sink, kExpired);
  owner.seat->reactor().Close(chain.b);
  EXPECT_EQ(handle->Begin(0, {}).at_sink, kClosed);
  EXPECT_FALSE(chain.a->lent(Side::kRead));
  EXPECT_TRUE(handle->ReturnLoans().ok());
}

TEST_F(TransferTest, BetweenEndsThatAreGoneItDoesNotStart) {
  const int32_t gone = chain.b->id();
  owner.seat->reactor().Close(chain.b);
  auto* handle = owner.seat->reactor().Adopt(std::make_unique<TransferHandle>(
      &owner.seat->reactor(), &owner.pool, TransferHandle::End{chain.a->id(), {}},
      TransferHandle::End{gone, {}}));
  EXPECT_EQ(handle->Start(kCopy).error().number, EBADF);
}

TEST_F(TransferTest, ASourcePastItsDeadlineFailsAfterWhatItGave) {
  TransferHandle* handle = Began(kCopy);
  Exchange(chain.left, chain.right);
  handle->SetExpired(0, Side::kRead, true);
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.reason, Reason::kFailed);
  EXPECT_EQ(result.error, -kExpired);
  EXPECT_FALSE(result.failed_at_sink);
}

TEST_F(TransferTest, ASinkPastItsDeadlineRefusesTheNextBytesWhichStay) {
  TransferHandle* handle = Began(kCopy);
  Exchange(chain.left, chain.right);
  handle->SetExpired(0, Side::kWrite, true);
  Settle();
  EXPECT_EQ(owner.Told(handle), 0u) << "nothing has come for it";
  ASSERT_TRUE(test::SendAll(chain.left.get(), "stays"));
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.error, -kExpired);
  EXPECT_TRUE(result.failed_at_sink);
  EXPECT_EQ(test::ReceiveSome(chain.a->fd()), "stays");
}

TEST_F(TransferTest, ASinkPastItsDeadlineHasNothingAgainstAnEnd) {
  TransferHandle* handle = Began(kCopy);
  Exchange(chain.left, chain.right);
  handle->SetExpired(0, Side::kWrite, true);
  handle->Nudge(0);
  SendFin(chain.left);
  const TransferResult result = owner.Finish(handle);
  EXPECT_EQ(result.reason, Reason::kEnd);
  EXPECT_EQ(result.error, 0);
}

TEST_F(TransferTest, ADeadlineThatIsMovedInTimeIsForgotten) {
  TransferHandle* handle = Began(kCopy);
  Exchange(chain.left, chain.right);
  handle->SetExpired(0, Side::kWrite, true);
  handle->SetExpired(0, Side::kWrite, false);
  Exchange(chain.left, chain.right);
  SendFin(chain.left);
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kEnd);
}

TEST_F(TransferTest, ANudgeLooksAgain) {
  TransferHandle* handle = Began(kCopy);
  Exchange(chain.left, chain.right);
  shutdown(chain.a->fd(), SHUT_RD);
  handle->Nudge(0);
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kEnd);
}

TEST_F(TransferTest, TwoCopiesShareAPairInOppositeDirections) {
  TransferHandle* there = owner.Open(chain.a, chain.b, kCopy);
  TransferHandle* back = owner.Open(chain.b, chain.a, kCopy);
  (void)there->Begin(0, {});
  (void)back->Begin(0, {});
  Exchange(chain.left, chain.right);
  Exchange(chain.right, chain.left);
  SendFin(chain.left);
  EXPECT_EQ(owner.Finish(there).reason, Reason::kEnd);
  Exchange(chain.right, chain.left, "goes on");
  TransferHandle* again = owner.Open(chain.a, chain.b, kCopy);
  (void)again->Begin(0, {});
  EXPECT_EQ(owner.Finish(again).reason, Reason::kEnd);
  SendFin(chain.right);
  EXPECT_EQ(owner.Finish(back).reason, Reason::kEnd);
}

TEST_F(TransferTest, AConnectionMayBeCopiedToItself) {
  TransferHandle* handle = owner.Open(chain.a, chain.a, kCopy);
  (void)handle->Begin(0, {});
  Exchange(chain.left, chain.left, "echo");
  SendFin(chain.left);
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kEnd);
}

// Every system call that may fail on the way does so now and then, and nothing is lost.
TEST_F(TransferTest, FaultsOnTheWayDoNotShow) {
  const std::string all = test::Pattern(4 << 20);
  sys::fault::Script script;
  for (int i = 0; i < 5; ++i) {
    script.On(sys::fault::kSplice).Pass().Then(EINTR).ShortenTo(100).Pass().ShortenTo(1);
    script.On(sys::fault::kRecv).ShortenTo(10).Then(EINTR);
    script.On(sys::fault::kSend).ShortenTo(10).Then(EINTR).Pass();
  }
  script.On(sys::fault::kPipe).Then(EMFILE, 2);
  TransferHandle* handle = Began(Relay());
  std::thread writing([&] {
    EXPECT_TRUE(test::SendAll(chain.left.get(), all));
    SendFin(chain.left);
  });
  std::string got;
  for (std::string more; !(more = test::ReceiveSome(chain.right.get())).empty();) got += more;
  writing.join();
  SendFin(chain.right);
  EXPECT_EQ(owner.Finish(handle).reason, Reason::kEnd);
  EXPECT_TRUE(got == all);
}

class ThreadsTest : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(TransferPool, ThreadsTest, testing::Values(1, 4));

TEST_P(ThreadsTest, ManyRunAtOnceAndAllEnd) {
  Owner owner(GetParam());
  constexpr int kMany = 60;
  std::vector<std::unique_ptr<Chain>> chains;
  std::vector<TransferHandle*> handles;
  for (int i = 0; i < kMany; ++i) {
    chains.push_back(std::make_unique<Chain>(owner, i % 2 == 1));
    handles.push_back(owner.Open(chains[i]->a, chains[i]->b, Relay(30'000)));
    for (int flow = 0; flow < 2; ++flow) (void)handles[i]->Begin(flow, {});
  }
  for (int round = 0; round < 3; ++round) {
    for (auto& c : chains) ASSERT_TRUE(test::SendAll(c->left.get(), "there"));
    for (auto& c : chains) ASSERT_EQ(test::ReceiveSome(c->right.get()), "there");
    for (auto& c : chains) ASSERT_TRUE(test::SendAll(c->right.get(), "back"));
    for (auto& c : chains) ASSERT_EQ(test::ReceiveSome(c->left.get()), "back");
  }
  for (int i = 0; i < kMany; ++i) {
    if (i % 4 == 0) handles[i]->Stop();
    if (i % 4 == 1) test::Reset(std::move(chains[i]->left));
    if (i % 4 == 2) chains[i]->right.Reset();
    if (i % 4 == 3) SendFin(chains[i]->left);
    if (i % 2 == 1) SendFin(chains[i]->right);
    if (i % 4 == 2) SendFin(chains[i]->left);
  }
  for (int i = 0; i < kMany; ++i) {
    const Reason reason = owner.Finish(handles[i]).reason;
    const Reason expected[] = {Reason::kStopped, Reason::kFailed, Reason::kEnd, Reason::kEnd};
    EXPECT_EQ(reason, expected[i % 4]) << i;
  }
}

// The end of an environment, amid everything.
TEST_P(ThreadsTest, TheirEndStopsWhatRuns) {
  for (int round = 0; round < 10; ++round) {
    Owner owner(GetParam());
    std::vector<std::unique_ptr<Chain>> chains;
    for (int i = 0; i < 8; ++i) {
      chains.push_back(std::make_unique<Chain>(owner));
      Chain& c = *chains.back();
      TransferHandle* handle = owner.Open(c.a, c.b, Relay(1000));
      for (int flow = 0; flow < 2; ++flow) (void)handle->Begin(flow, Rated(i % 2 * 1'000'000));
      test::FillUp(c.left.get());
      if (i % 4 == 1) SendFin(c.left);
      if (i % 4 == 2) owner.seat->reactor().Close(c.a);
      if (i % 4 == 3) handle->Stop();
    }
    if (round % 2 == 1) test::ReceiveSome(chains[0]->right.get());
  }
}

TEST(TransferPool, PicksTheThreadThatHasTheLeastToDo) {
  Owner owner(2);
  using Kind = TransferPool::Kind;
  TransferThread* first = owner.pool.Pick(Kind::kSockets).value();
  TransferThread* second = owner.pool.Pick(Kind::kSockets).value();
  EXPECT_NE(first, second);
  owner.pool.Done(first);
  EXPECT_EQ(owner.pool.Pick(Kind::kSockets).value(), first);
  owner.pool.Done(second);
  EXPECT_EQ(owner.pool.Pick(Kind::kSockets).value(), second);
  TransferThread* third = owner.pool.Pick(Kind::kSockets).value();
  EXPECT_TRUE(third == first || third == second) << "two at most";
  TransferThread* files = owner.pool.Pick(Kind::kFiles).value();
  EXPECT_TRUE(files != first && files != second) << "files have threads of their own";
}

TEST(TransferPool, StartsNoThreadThatItDoesNotNeed) {
  Owner owner(4);
  const size_t before = test::OpenDescriptors().size();
  for (int i = 0; i < 3; ++i) {
    owner.pool.Done(owner.pool.Pick(TransferPool::Kind::kSockets).value());
  }
  EXPECT_EQ(test::OpenDescriptors().size(), before + 3) << "one thread's poller";
}

TEST(TransferPool, WithoutDescriptorsReportsTheFirstThreadAndDoesWithoutTheNext) {
  Owner owner(4);
  using Kind = TransferPool::Kind;
  {
    const test::FullTable full;
    const auto none = owner.pool.Pick(Kind::kSockets);
    ASSERT_FALSE(none.ok());
    EXPECT_EQ(none.error().number, EMFILE);
  }
  TransferThread* first = owner.pool.Pick(Kind::kSockets).value();
  const test::FullTable full;
  EXPECT_EQ(owner.pool.Pick(Kind::kSockets).value(), first);
}

}  // namespace
}  // namespace spliceway
