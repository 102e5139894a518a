#include "sys/unix.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/descriptors.h"
#include "support/pair.h"
#include "sys/fault.h"
#include "sys/socket.h"

namespace spliceway::sys {
namespace {

OwnFd OpenNull() { return std::move(OpenReserve().value()); }

int64_t Send(const test::Pair& pair, const std::string& bytes, size_t count) {
  const OwnFd fd = OpenNull();
  const std::vector<int32_t> fds(count, fd.get());
  return SendFds(pair.near.get(), bytes.data(), bytes.size(), fds);
}

struct Received {
  ReceivedFds result;
  std::string bytes;
  std::vector<OwnFd> fds;
};

Received Receive(const test::Pair& pair, size_t max) {
  char p[4096];
  std::vector<int32_t> fds(max);
  Received out{ReceiveFds(pair.far.get(), p, sizeof(p), fds), "", {}};
  if (out.result.bytes > 0) out.bytes.assign(p, static_cast<size_t>(out.result.bytes));
  for (size_t i = 0; i < out.result.count; ++i) out.fds.emplace_back(fds[i]);
  return out;
}

TEST(PassedFds, ArriveCloseOnExecWithTheirBytes) {
  const auto pair = test::UnixPair();
  ASSERT_EQ(Send(pair, "three", 3), 5);
  const Received got = Receive(pair, 3);
  EXPECT_EQ(got.bytes, "three");
  ASSERT_EQ(got.fds.size(), 3u);
  for (const OwnFd& fd : got.fds) EXPECT_EQ(fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST(PassedFds, NothingThereIsEagain) {
  const auto pair = test::UnixPair();
  EXPECT_EQ(Receive(pair, 1).result.bytes, -EAGAIN);
}

TEST(PassedFds, TheEndIsZeroWithNone) {
  auto pair = test::UnixPair();
  pair.near.Reset();
  const Received got = Receive(pair, 1);
  EXPECT_EQ(got.result.bytes, 0);
  EXPECT_EQ(got.result.count, 0u);
}

// For odd numbers too, whose control message ends in padding that one more would fit into.
TEST(PassedFds, OneMoreThanThereIsRoomForClosesAll) {
  const auto pair = test::UnixPair();
  for (const size_t room : {1u, 2u, 7u, 252u}) {
    const auto before = test::OpenDescriptors();
    ASSERT_EQ(Send(pair, "x", room + 1), 1);
    const Received got = Receive(pair, room);
    EXPECT_TRUE(got.result.truncated);
    EXPECT_EQ(got.result.count, 0u);
    EXPECT_EQ(got.bytes, "x");
    EXPECT_EQ(test::OpenDescriptors(), before);
  }
}

TEST(PassedFds, AFullTableClosesAll) {
  const auto pair = test::UnixPair();
  OwnFd room = OpenNull();
  ASSERT_EQ(Send(pair, "x", 3), 1);
  const auto before = test::OpenDescriptors();
  {
    const test::FullTable full;
    const Received got = Receive(pair, 3);
    EXPECT_TRUE(got.result.truncated);
    EXPECT_EQ(got.result.bytes, 1);
  }
  EXPECT_EQ(test::OpenDescriptors(), before);
}

TEST(PassedFds, AsManyAsTheKernelTakesAndNotOneMore) {
  const auto pair = test::UnixPair();
  EXPECT_EQ(Send(pair, "x", kMaxPassedFds), 1);
  EXPECT_EQ(Receive(pair, kMaxPassedFds).fds.size(), kMaxPassedFds);
  EXPECT_EQ(Send(pair, "x", kMaxPassedFds + 1), -EINVAL);
  EXPECT_EQ(Send(pair, "x", 0), -EINVAL);
}

TEST(PassedFds, ABadNumberSendsNothing) {
  const auto pair = test::UnixPair();
  const int32_t fds[] = {0, -1};
  EXPECT_EQ(SendFds(pair.near.get(), "x", 1, fds), -EBADF);
  EXPECT_EQ(Receive(pair, 1).result.bytes, -EAGAIN);
}

TEST(PassedFds, SendingIsRepeatedAfterASignal) {
  const auto pair = test::UnixPair();
  fault::Script script;
  script.On(fault::kSendmsg).Then(EINTR, 2).ShortenTo(1);
  EXPECT_EQ(Send(pair, "two", 1), 1);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(Receive(pair, 1).fds.size(), 1u);
}

TEST(Credentials, AreThoseOfThisProcess) {
  const auto pair = test::UnixPair();
  const auto peer = PeerCredentials(pair.near.get());
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer.value().uid, getuid());
  EXPECT_EQ(peer.value().gid, getgid());
#ifdef __linux__
  EXPECT_EQ(peer.value().pid, getpid());
#endif
  EXPECT_EQ(PeerCredentials(-1).error().number, EBADF);
}

}  // namespace
}  // namespace spliceway::sys
