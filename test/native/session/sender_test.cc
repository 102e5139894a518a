#include "session/sender.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/frames.h"
#include "support/pair.h"

namespace spliceway {
namespace {

using After = Sender::After;

class SenderTest : public testing::Test {
 protected:
  SenderTest() : sender(pair.near.get(), Wire(HeaderBody::Layout{}, 1 << 20)) {}

  After Put(const std::string& frames) {
    const Bytes bytes = test::BytesOf(frames);
    return sender.Put({&bytes, 1}, &waits);
  }
  static std::string Frame(size_t body, uint32_t command = 1) {
    return test::HeaderBodyFrame(command, std::string(body, 'x'));
  }
  // The commands of the frames that the other end got.
  std::vector<uint32_t> Got() {
    while (test::IsReadable(pair.far.get())) {
      const std::string some = test::ReceiveSome(pair.far.get());
      if (some.empty()) break;
      feeder.Feed(some);
    }
    std::vector<uint32_t> commands;
    for (const test::Frame& frame : feeder.frames()) commands.push_back(frame.command);
    return commands;
  }

  test::Pair pair = test::UnixPair();
  Sender sender;
  test::Feeder feeder{std::make_unique<HeaderBody>(HeaderBody::Layout{}, 1 << 20)};
  bool waits = false;
};

using Commands = std::vector<uint32_t>;

TEST_F(SenderTest, SendsNothingWithoutCreditButControlFrames) {
  EXPECT_EQ(Put(Frame(10)), After::kNothing);
  EXPECT_TRUE(waits);
  EXPECT_EQ(sender.SayPing({}), After::kNothing);
  EXPECT_EQ(Got(), Commands{0xf1});
}

TEST_F(SenderTest, SendsWholeFramesAsFarAsTheCreditGoes) {
  Put(Frame(10) + Frame(10, 2) + Frame(10, 3));
  EXPECT_EQ(sender.Allow(50), After::kNothing);
  EXPECT_EQ(Got(), (Commands{1, 2}));
  EXPECT_EQ(sender.credit(), 6u);
  EXPECT_EQ(sender.sent(), 44u);
  EXPECT_EQ(sender.Allow(16), After::kTell) << "whoever waits is told when all of it is sent";
  EXPECT_EQ(Got(), (Commands{1, 2, 3}));
}

TEST_F(SenderTest, WhatMayGoGoesAtOnce) {
  sender.Allow(1000);
  EXPECT_EQ(Put(Frame(10)), After::kNothing);
  EXPECT_FALSE(waits);
  EXPECT_EQ(Got(), Commands{1});
}

TEST_F(SenderTest, PutsControlFramesBetweenFrames) {
  sender.Allow(1 << 30);
  Put(Frame(900'000) + Frame(10, 2));
  EXPECT_TRUE(waits) << "more than the kernel takes";
  for (uint32_t i = 0; i < 5; ++i) sender.SayPong({i, 0, 0});
  sender.SayCredit(7);
  sender.SayCredit(8);
  EXPECT_TRUE(Got().empty());
  while (sender.Flush() == After::kNothing) Got();
  EXPECT_EQ(Got(), (Commands{1, 0xf2, 0xf3, 2})) << "the latest PONG, the sum of the credit";
  EXPECT_EQ(feeder.frames()[1].body.substr(0, 4), std::string("\0\0\0\4", 4));
  EXPECT_EQ(feeder.frames()[2].body, std::string("\0\0\0\17", 4));
}

TEST_F(SenderTest, FinishesBehindWhatWasPut) {
  Put(Frame(10));
  sender.Finish();
  EXPECT_TRUE(Got().empty());
  sender.Allow(100);
  EXPECT_EQ(Got(), Commands{1});
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "");
}

TEST_F(SenderTest, AFrameThatNeverFitsFails) {
  sender.Allow(20);
  EXPECT_EQ(Put(Frame(10)), After::kFailed);
  EXPECT_EQ(sender.error(), EMSGSIZE);
  EXPECT_EQ(Put(Frame(1)), After::kNothing) << "told once";
}

TEST_F(SenderTest, FailsOnceWithTheKernelsError) {
  pair.far = OwnFd();
  EXPECT_EQ(sender.SayPing({}), After::kFailed);
  EXPECT_EQ(sender.error(), EPIPE);
  EXPECT_EQ(sender.Flush(), After::kNothing);
}

TEST_F(SenderTest, TouchesNothingOnceClosed) {
  sender.Allow(100);
  sender.Close();
  EXPECT_EQ(Put(Frame(1)), After::kNothing);
  EXPECT_TRUE(Got().empty());
}

TEST_F(SenderTest, EndlessCreditDoesNotOverflow) {
  for (int i = 0; i < 10; ++i) sender.Allow(UINT32_MAX);
  Put(Frame(10));
  EXPECT_EQ(Got(), Commands{1});
}

}  // namespace
}  // namespace spliceway
