// What only the epoll backend promises, and its failures.
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <vector>

#include "poll/poller.h"
#include "support/descriptors.h"
#include "support/pair.h"
#include "sys/clock.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

constexpr int64_t kMs = 1'000'000;

size_t Wait(Poller* poller) {
  std::array<Event, 16> events;
  return poller->Wait(events, 0);
}

TEST(EpollPoller, AnotherEpollSetCanWaitOnFd) {
  const auto poller = std::move(Poller::Open().value());
  const auto pair = test::UnixPair();
  const OwnFd outer(epoll_create1(EPOLL_CLOEXEC));
  epoll_event interest{};
  interest.events = EPOLLIN;
  ASSERT_EQ(epoll_ctl(outer.get(), EPOLL_CTL_ADD, poller->fd(), &interest), 0);
  const auto fires = [&](int timeout_ms) {
    epoll_event event;
    return epoll_wait(outer.get(), &event, 1, timeout_ms) == 1;
  };
  EXPECT_FALSE(fires(0));

  ASSERT_TRUE(poller->Add(pair.near.get(), 7, kReadable).ok());
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  EXPECT_TRUE(fires(test::kPatienceMs));
  EXPECT_EQ(Wait(poller.get()), 1u);
  EXPECT_FALSE(fires(0));

  poller->Wake();
  EXPECT_TRUE(fires(test::kPatienceMs));
  EXPECT_EQ(Wait(poller.get()), 0u);
  EXPECT_FALSE(fires(0));

  const int64_t when = MonotonicNow() + 2 * kMs;
  ASSERT_TRUE(poller->Arm(when).ok());
  EXPECT_TRUE(fires(test::kPatienceMs));
  EXPECT_GE(MonotonicNow(), when);
  EXPECT_EQ(Wait(poller.get()), 0u);
  EXPECT_FALSE(fires(0));
}

TEST(EpollPoller, AddTwiceIsAnErrorThatNamesTheCall) {
  const auto poller = std::move(Poller::Open().value());
  const auto pair = test::UnixPair();
  ASSERT_TRUE(poller->Add(pair.near.get(), 7, kReadable).ok());
  const Status again = poller->Add(pair.near.get(), 8, kReadable);
  ASSERT_FALSE(again.ok());
  EXPECT_STREQ(again.error().syscall, "epoll_ctl");
  EXPECT_EQ(again.error().number, EEXIST);
}

TEST(EpollPoller, AHangupIsReportedUnasked) {
  const auto poller = std::move(Poller::Open().value());
  auto pair = test::UnixPair();
  ASSERT_TRUE(poller->Add(pair.near.get(), 7, kReadable).ok());
  pair.far.Reset();
  std::array<Event, 2> events;
  ASSERT_EQ(poller->Wait(events, test::kPatienceMs), 1u);
  constexpr uint32_t kBoth = kReadable | kWritable | kHangup;
  EXPECT_EQ(events[0].ready & kBoth, kBoth);
}

TEST(EpollPoller, UrgentDataIsAnEdgeOfItsOwn) {
  const auto poller = std::move(Poller::Open().value());
  const auto tcp = test::TcpPair();
  ASSERT_TRUE(poller->Add(tcp.near.get(), 7, kReadable).ok());
  ASSERT_EQ(send(tcp.far.get(), "!", 1, MSG_OOB), 1);
  std::array<Event, 2> events;
  ASSERT_EQ(poller->Wait(events, test::kPatienceMs), 1u);
  EXPECT_EQ(events[0].ready & kPriority, kPriority);
}

TEST(EpollPoller, ClosingTheDescriptorLeavesItRegisteredWhileADuplicateLives) {
  const auto poller = std::move(Poller::Open().value());
  auto pair = test::UnixPair();
  ASSERT_TRUE(poller->Add(pair.near.get(), 7, kReadable).ok());
  const OwnFd copy = std::move(sys::Duplicate(pair.near.get()).value());
  pair.near.Reset();
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  EXPECT_EQ(Wait(poller.get()), 1u) << "why a handle that is shared must call Remove";
}

// With room for none, one or two of the three descriptors that this backend opens.
TEST(EpollPoller, OpenReportsWhatIsMissingInAFullTableAndKeepsNothing) {
  const char* const refused[] = {"epoll_create1", "eventfd", "timerfd_create"};
  for (size_t room = 0; room < 3; ++room) {
    std::vector<OwnFd> spare(room);
    for (OwnFd& fd : spare) fd = std::move(sys::OpenReserve().value());
    const test::FullTable full;
    spare.clear();
    const auto poller = Poller::Open();
    ASSERT_FALSE(poller.ok());
    EXPECT_STREQ(poller.error().syscall, refused[room]);
    EXPECT_EQ(poller.error().number, EMFILE);
  }
}

}  // namespace
}  // namespace spliceway
