// The seam itself: what the other tests rely on when they script a fault.
#include "sys/fault.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "support/pair.h"
#include "sys/call.h"
#include "sys/call_linux.h"

namespace spliceway::sys {
namespace {

TEST(FaultScript, TakesItsStepsInOrderAndThenStandsAside) {
  const auto pair = test::UnixPair();
  fault::Script script;
  script.On(fault::kSend).Pass().Then(EAGAIN, 2).ShortenTo(1);
  EXPECT_EQ(call::send(pair.near.get(), "ab", 2, 0), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(call::send(pair.near.get(), "cd", 2, 0), -1);
    EXPECT_EQ(errno, EAGAIN);
  }
  EXPECT_FALSE(script.done());
  EXPECT_EQ(call::send(pair.near.get(), "ef", 2, 0), 1);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(call::send(pair.near.get(), "gh", 2, 0), 2);
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "abegh");
}

TEST(FaultScript, IsForgottenAtTheEndOfItsScope) {
  const auto pair = test::UnixPair();
  {
    fault::Script script;
    script.On(fault::kSend).Then(EPIPE, 100);
    EXPECT_EQ(call::send(pair.near.get(), "x", 1, 0), -1);
  }
  EXPECT_EQ(call::send(pair.near.get(), "x", 1, 0), 1);
}

TEST(FaultScript, CanConcernOneDescriptorOrOneCallOnly) {
  const auto pair = test::UnixPair();
  fault::Script script;
  script.On(fault::kSend, pair.near.get()).Then(ECONNRESET);
  EXPECT_EQ(call::send(pair.far.get(), "x", 1, 0), 1);
  char p;
  EXPECT_EQ(call::recv(pair.near.get(), &p, 1, 0), 1);
  EXPECT_EQ(call::send(pair.near.get(), "x", 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(FaultScript, HoldsOnEveryThread) {
  const auto pair = test::UnixPair();
  fault::Script script;
  script.On(fault::kSend).Then(EPIPE);
  std::thread([&] { EXPECT_EQ(call::send(pair.near.get(), "x", 1, 0), -1); }).join();
  EXPECT_TRUE(script.done());
}

TEST(FaultScript, ReachesTheCallsThatForward) {
  fault::Script script;
  script.On(fault::kPipe).Then(EMFILE);
  int fds[2];
  EXPECT_EQ(call::pipe2(fds, O_CLOEXEC), -1);
  EXPECT_EQ(errno, EMFILE);
  ASSERT_EQ(call::pipe2(fds, O_CLOEXEC), 0);
  const OwnFd read_end(fds[0]);
  const OwnFd write_end(fds[1]);
  const auto pair = test::UnixPair();
  ASSERT_EQ(write(fds[1], "hello", 5), 5);
  script.On(fault::kSplice).Then(EINVAL).ShortenTo(2);
  EXPECT_EQ(call::splice(fds[0], nullptr, pair.near.get(), nullptr, 5, 0), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(call::splice(fds[0], nullptr, pair.near.get(), nullptr, 5, 0), 2);
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "he");

  FILE* file = std::tmpfile();
  std::fputs("hello", file);
  std::rewind(file);
  script.On(fault::kSendfile).Then(ENOSYS).ShortenTo(4);
  EXPECT_EQ(call::sendfile(pair.near.get(), fileno(file), nullptr, 5), -1);
  EXPECT_EQ(errno, ENOSYS);
  EXPECT_EQ(call::sendfile(pair.near.get(), fileno(file), nullptr, 5), 4);
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "hell");
  EXPECT_TRUE(script.done());
  std::fclose(file);
}

}  // namespace
}  // namespace spliceway::sys
