#include "io/port.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <string>
#include <utility>

#include "support/pair.h"
#include "support/seat.h"

namespace spliceway {
namespace {

class Counting final : public Port::User {
 public:
  void OnPortReady() override {
    ++told;
    if (then) then();
  }
  int told = 0;
  std::function<void()> then;
};

class PortsTest : public testing::Test {
 protected:
  Port* Attach(int fd, Side side, Counting* user) {
    auto port = ports.Attach(fd, side, user);
    EXPECT_TRUE(port.ok());
    return port.value();
  }
  void TurnUntil(const Counting& user, int told) {
    for (int i = 0; i < 100 && user.told < told; ++i) seat.Turn(100);
    EXPECT_EQ(user.told, told);
  }

  test::Seat seat;
  Ports ports{&seat.reactor()};
  test::Pair pair = test::TcpPair();
  Counting reader, writer;
};

TEST_F(PortsTest, TellAReaderThatAwaitsAnEdge) {
  Port* port = Attach(pair.near.get(), Side::kRead, &reader);
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  seat.Turn(100);
  EXPECT_EQ(reader.told, 0) << "it has not asked";
  ASSERT_TRUE(port->AwaitEdge(Side::kRead).ok());
  ASSERT_TRUE(test::SendAll(pair.far.get(), "y"));
  TurnUntil(reader, 1);
  ASSERT_TRUE(test::SendAll(pair.far.get(), "z"));
  seat.Turn(100);
  EXPECT_EQ(reader.told, 1) << "once for each time that it asks";
  ports.Detach(port, Side::kRead);
  EXPECT_EQ(seat.reactor().size(), 0u);
}

TEST_F(PortsTest, TellAWriterThatThereIsRoom) {
  Port* port = Attach(pair.near.get(), Side::kWrite, &writer);
  const size_t full = test::FillUp(pair.near.get());
  ASSERT_TRUE(port->AwaitEdge(Side::kWrite).ok());
  seat.Turn();
  EXPECT_EQ(writer.told, 0);
  EXPECT_EQ(test::DrainAtLeast(pair.far.get(), full), full);
  TurnUntil(writer, 1);
  ports.Detach(port, Side::kWrite);
}

TEST_F(PortsTest, ADescriptorHasOneForBothDirections) {
  Port* port = Attach(pair.near.get(), Side::kRead, &reader);
  EXPECT_EQ(Attach(pair.near.get(), Side::kWrite, &writer), port);
  EXPECT_EQ(seat.reactor().size(), 1u);
  ASSERT_TRUE(port->AwaitEdge(Side::kRead).ok());
  ASSERT_TRUE(port->AwaitEdge(Side::kWrite).ok());
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  TurnUntil(reader, 1);
  TurnUntil(writer, 1);
  ports.Detach(port, Side::kRead);
  EXPECT_EQ(seat.reactor().size(), 1u);
  ASSERT_TRUE(port->AwaitEdge(Side::kWrite).ok());
  port->WakeUp(Side::kWrite);
  TurnUntil(writer, 2);
  ports.Detach(port, Side::kWrite);
  EXPECT_EQ(seat.reactor().size(), 0u);
  EXPECT_EQ(reader.told, 1);
}

TEST_F(PortsTest, OneDirectionMayComeAgainWhileTheOtherStays) {
  Port* port = Attach(pair.near.get(), Side::kWrite, &writer);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(Attach(pair.near.get(), Side::kRead, &reader), port);
    ASSERT_TRUE(port->AwaitEdge(Side::kRead).ok());
    ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
    TurnUntil(reader, i);
    ports.Detach(port, Side::kRead);
  }
  ports.Detach(port, Side::kWrite);
}

// What was ready before is an edge for whoever comes next.
TEST_F(PortsTest, ReadinessIsToldAnewToTheNext) {
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  for (int i = 1; i <= 3; ++i) {
    Port* port = Attach(pair.near.get(), Side::kRead, &reader);
    ASSERT_TRUE(port->AwaitEdge(Side::kRead).ok());
    TurnUntil(reader, i);
    ports.Detach(port, Side::kRead);
  }
}

TEST_F(PortsTest, OneUserMayDetachBothWhileItIsTold) {
  Port* port = Attach(pair.near.get(), Side::kRead, &reader);
  Attach(pair.near.get(), Side::kWrite, &writer);
  ASSERT_TRUE(port->AwaitEdge(Side::kRead).ok());
  ASSERT_TRUE(port->AwaitEdge(Side::kWrite).ok());
  port->WakeUp(Side::kRead);
  port->WakeUp(Side::kWrite);
  reader.then = [&] {
    ports.Detach(port, Side::kRead);
    ports.Detach(port, Side::kWrite);
  };
  TurnUntil(reader, 1);
  EXPECT_EQ(writer.told, 0);
  EXPECT_EQ(seat.reactor().size(), 0u);
}

TEST_F(PortsTest, TheDescriptorIsBorrowed) {
  Port* port = Attach(pair.near.get(), Side::kRead, &reader);
  ports.Detach(port, Side::kRead);
  ASSERT_TRUE(test::SendAll(pair.near.get(), "still open"));
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "still open");
}

TEST_F(PortsTest, ANumberThatComesAgainIsAnotherConnection) {
  const int number = pair.near.get();
  ports.Detach(Attach(number, Side::kRead, &reader), Side::kRead);
  pair.near.Reset();
  auto next = test::TcpPair();
  while (next.near.get() != number && next.far.get() != number) next = test::TcpPair();
  if (next.far.get() == number) std::swap(next.near, next.far);
  Counting other;
  Port* port = Attach(number, Side::kRead, &other);
  ASSERT_TRUE(port->AwaitEdge(Side::kRead).ok());
  ASSERT_TRUE(test::SendAll(next.far.get(), "x"));
  TurnUntil(other, 1);
  EXPECT_EQ(reader.told, 0);
  ports.Detach(port, Side::kRead);
}

TEST_F(PortsTest, WhatCannotBeRegisteredLeavesNothingBehind) {
  const int number = pair.near.get();
  pair.near.Reset();
  const auto refused = ports.Attach(number, Side::kRead, &reader);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().number, EBADF);
  EXPECT_EQ(seat.reactor().size(), 0u);
}

}  // namespace
}  // namespace spliceway
