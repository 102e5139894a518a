#include "sys/io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include "support/pair.h"
#include "sys/fault.h"

namespace spliceway::sys {
namespace {

iovec Slice(std::string& bytes) { return {bytes.data(), bytes.size()}; }

// The whole table of what a call can meet: each result comes out as the kernel's, but for EINTR.
TEST(Receive, ReportsCountsEndErrorsAndNeverEintr) {
  auto pair = test::UnixPair();
  char p[16];
  EXPECT_EQ(Receive(pair.near.get(), p, sizeof(p)), -EAGAIN);
  ASSERT_TRUE(test::SendAll(pair.far.get(), "hello"));
  fault::Script script;
  script.On(fault::kRecv).Then(EINTR, 3).ShortenTo(2).Then(ECONNRESET).Then(EAGAIN);
  EXPECT_EQ(Receive(pair.near.get(), p, sizeof(p)), 2);
  EXPECT_EQ(std::string(p, 2), "he");
  EXPECT_EQ(Receive(pair.near.get(), p, sizeof(p)), -ECONNRESET);
  EXPECT_EQ(Receive(pair.near.get(), p, sizeof(p)), -EAGAIN);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(Receive(pair.near.get(), p, sizeof(p)), 3);
  EXPECT_EQ(std::string(p, 3), "llo");
  pair.far.Reset();
  EXPECT_EQ(Receive(pair.near.get(), p, sizeof(p)), 0);
  EXPECT_EQ(Receive(pair.near.get(), p, sizeof(p)), 0);
}

TEST(Send, ReportsCountsErrorsAndNeverEintr) {
  const auto pair = test::UnixPair();
  fault::Script script;
  script.On(fault::kSend).Then(EINTR, 3).ShortenTo(3).Then(EAGAIN).Then(ECONNRESET);
  EXPECT_EQ(Send(pair.near.get(), "hello", 5), 3);
  EXPECT_EQ(Send(pair.near.get(), "lo", 2), -EAGAIN);
  EXPECT_EQ(Send(pair.near.get(), "lo", 2), -ECONNRESET);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(Send(pair.near.get(), "lo", 2), 2);
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "hello");
}

TEST(Send, IntoAFullSocketIsEagain) {
  const auto pair = test::UnixPair();
  test::FillUp(pair.near.get());
  EXPECT_EQ(Send(pair.near.get(), "x", 1), -EAGAIN);
}

TEST(SendVector, ReportsCountsErrorsAndNeverEintr) {
  const auto pair = test::UnixPair();
  std::string a = "one ", b = "two ", c = "three";
  const iovec slices[] = {Slice(a), Slice(b), Slice(c)};
  fault::Script script;
  script.On(fault::kSendmsg).Then(EINTR, 2).ShortenTo(6).Then(EAGAIN).Then(ECONNRESET);
  EXPECT_EQ(SendVector(pair.near.get(), slices, 3), 6);  // ends within the second slice
  EXPECT_EQ(SendVector(pair.near.get(), slices, 3), -EAGAIN);
  EXPECT_EQ(SendVector(pair.near.get(), slices, 3), -ECONNRESET);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(SendVector(pair.near.get(), slices, 3), 13);
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "one twone two three");
}

TEST(SendVector, TakesAsManySlicesAsTheSystemAllowsInOneCall) {
  const auto pair = test::UnixPair();
  const auto limit = static_cast<size_t>(sysconf(_SC_IOV_MAX));
  std::string byte = "x";
  const std::vector<iovec> slices(limit + 10, Slice(byte));
  EXPECT_EQ(SendVector(pair.near.get(), slices.data(), slices.size()), static_cast<int64_t>(limit));
  EXPECT_EQ(test::ReceiveSome(pair.far.get()).size(), limit);
}

// With the signal's own disposition, which would end this process.
class NoSigpipe : public testing::Test {
 protected:
  void SetUp() override { before_ = std::signal(SIGPIPE, SIG_DFL); }
  void TearDown() override { std::signal(SIGPIPE, before_); }

 private:
  void (*before_)(int) = nullptr;
};

TEST_F(NoSigpipe, SendToAPeerThatHasGoneIsEpipe) {
  auto pair = test::UnixPair();
  pair.far.Reset();
  EXPECT_EQ(Send(pair.near.get(), "x", 1), -EPIPE);
}

TEST_F(NoSigpipe, SendVectorToAPeerThatHasGoneIsEpipe) {
  auto pair = test::UnixPair();
  pair.far.Reset();
  std::string byte = "x";
  const iovec slice = Slice(byte);
  EXPECT_EQ(SendVector(pair.near.get(), &slice, 1), -EPIPE);
}

TEST(ReadFileAndWriteFile, MoveBytesThroughAPipeAndNeverReportEintr) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
  const OwnFd read_end(fds[0]);
  const OwnFd write_end(fds[1]);
  fault::Script script;
  script.On(fault::kWrite, fds[1]).Then(EINTR).ShortenTo(3).Then(EAGAIN);
  script.On(fault::kRead, fds[0]).Then(EINTR).ShortenTo(2).Then(EIO);
  EXPECT_EQ(WriteFile(fds[1], "hello", 5), 3);
  EXPECT_EQ(WriteFile(fds[1], "lo", 2), -EAGAIN);
  char p[16];
  EXPECT_EQ(ReadFile(fds[0], p, sizeof(p)), 2);
  EXPECT_EQ(ReadFile(fds[0], p, sizeof(p)), -EIO);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(ReadFile(fds[0], p, sizeof(p)), 1);
  EXPECT_EQ(p[0], 'l');
}

}  // namespace
}  // namespace spliceway::sys
