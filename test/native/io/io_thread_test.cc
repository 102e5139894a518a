#include "io/io_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "io/outbox.h"
#include "support/descriptors.h"
#include "support/seat.h"

namespace spliceway {
namespace {

std::unique_ptr<IoThread> Started(IoThread::Task after_turn = [] {}) {
  auto thread = IoThread::Start(std::move(after_turn));
  EXPECT_TRUE(thread.ok());
  return std::move(thread.value());
}

TEST(IoThread, RunsWhatIsPostedInOrderOnItsThread) {
  std::vector<int> ran;
  std::thread::id where;
  {
    auto thread = Started();
    for (int i = 0; i < 1000; ++i) {
      thread->Post([&, i] {
        ran.push_back(i);
        where = std::this_thread::get_id();
      });
    }
  }
  ASSERT_EQ(ran.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ran[i], i);
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(IoThread, TakesTasksFromAnyThread) {
  std::atomic<int> ran = 0;
  {
    auto thread = Started();
    std::vector<std::thread> posting;
    for (int i = 0; i < 4; ++i) {
      posting.emplace_back([&] {
        for (int k = 0; k < 1000; ++k) thread->Post([&] { ++ran; });
      });
    }
    for (std::thread& each : posting) each.join();
  }
  EXPECT_EQ(ran, 4000);
}

TEST(IoThread, CallsBackAfterTheTasksOfATurn) {
  int ran = 0;
  int seen = 0;
  auto thread = Started([&] { seen = ran; });
  for (int i = 0; i < 100; ++i) thread->Post([&] { ++ran; });
  thread->Join();
  EXPECT_EQ(ran, 100);
  EXPECT_EQ(seen, 100);
  thread->Join();  // a second time is nothing
}

TEST(IoThread, ATaskMayPostAnother) {
  std::mutex mutex;
  std::condition_variable changed;
  int ran = 0;
  auto thread = Started();
  thread->Post([&] {
    thread->Post([&] {
      const std::lock_guard lock(mutex);
      ++ran;
      changed.notify_one();
    });
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return ran == 1; });
}

class Ringing final : public TimerOwner {
 public:
  void OnTimer(int) override { ++rung; }
  std::atomic<int> rung = 0;
};

TEST(IoThread, TurnsItsReactorsTimers) {
  Ringing owner;
  Timer timer(&owner, 0);
  auto thread = Started();
  thread->Post([&] { thread->reactor().SetTimer(&timer, MonotonicNow() + test::kMs); });
  while (owner.rung == 0) std::this_thread::yield();
  thread->Join();
  EXPECT_EQ(owner.rung, 1);
}

TEST(IoThread, ReportsWhatThereIsNoRoomFor) {
  const test::FullTable full;
  const auto thread = IoThread::Start([] {});
  ASSERT_FALSE(thread.ok());
  EXPECT_EQ(thread.error().number, EMFILE);
}

// Two handles that wait for nothing but what an outbox has for them.
TEST(Outbox, TellsWhomItConcernsInTheNextTurn) {
  test::Seat seat;
  Outbox outbox(&seat.reactor());
  auto one = test::UnixPair();
  auto two = test::UnixPair();
  Stream* told = seat.Adopt(std::move(one.near), Stream::Kind::kUnix);
  Stream* other = seat.Adopt(std::move(two.near), Stream::Kind::kUnix);
  told->SetAwait(Side::kRead, Await::kOnce);
  other->SetAwait(Side::kRead, Await::kOnce);
  const int32_t gone = 1 << 20;
  std::thread elsewhere([&, id = told->id()] {
    const int32_t ids[] = {gone, id};
    outbox.Push(ids);
  });
  EXPECT_TRUE(test::AwaitReadable(seat.reactor().fd()));
  elsewhere.join();
  EXPECT_TRUE(seat.Turn().empty());
  outbox.Deliver();
  EXPECT_EQ(seat.AwaitNotice(told), kNoticeReadable);
  EXPECT_TRUE(seat.Turn().empty());
}

}  // namespace
}  // namespace spliceway
