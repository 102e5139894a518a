#include "core/socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/pair.h"
#include "support/seat.h"

namespace spliceway {
namespace {

using test::kMs;
using test::Told;

class SocketTest : public testing::Test {
 protected:
  Socket* New(sys::Family family) {
    const auto kind = family == sys::Family::kUnix ? Stream::Kind::kUnix : Stream::Kind::kTcp;
    auto fd = sys::Socket(family, sys::SocketType::kStream);
    return seat_.AdoptSocket(std::move(fd.value()), kind);
  }
  // Connects to the address, waiting as needed; the stream, or null with the error in `result_`.
  Stream* Connect(Socket* socket, const SockAddr& to) {
    result_ = socket->Connect(to);
    Stream* stream = nullptr;
    if (result_ == 0) result_ = socket->FinishConnect(Call::kNew, &stream);
    while (result_ == -EINPROGRESS || result_ == kAgain) {
      if ((seat_.WaitFor(socket, Side::kWrite) & kNoticeWritable) == 0) return nullptr;
      result_ = socket->FinishConnect(Call::kResumed, &stream);
    }
    return stream;
  }
  void ExpectTalks(Stream* stream, int other_end) {
    EXPECT_EQ(stream->Write("ping", 4, Call::kNew), 4);
    EXPECT_EQ(test::ReceiveSome(other_end), "ping");
    ASSERT_TRUE(test::SendAll(other_end, "pong"));
    char p[8];
    EXPECT_EQ(seat_.WaitFor(stream, Side::kRead), kNoticeReadable);
    EXPECT_EQ(stream->Read(p, sizeof(p), Call::kResumed), 4);
  }
  static OwnFd Accepted(const test::Listening& listening) {
    EXPECT_TRUE(test::AwaitReadable(listening.fd.get()));
    SockAddr peer;
    return std::move(sys::Accept(listening.fd.get(), &peer).value());
  }
  // An address to which connects neither succeed nor fail: its queue is full.
  struct Unanswered {
    test::Listening listening;
    std::vector<OwnFd> queued;
  };
  static Unanswered MakeUnanswered() {
    Unanswered out{test::ListenTcp(0), {}};
    out.queued.push_back(test::DialBlocking(out.listening.addr));
    return out;
  }

  test::Seat seat_;
  int64_t result_ = 0;
};

TEST_F(SocketTest, ConnectsByTcpAndBecomesAStream) {
  const auto listening = test::ListenTcp();
  Socket* socket = New(sys::Family::kIp4);
  const int fd = socket->fd();
  Stream* stream = Connect(socket, listening.addr);
  ASSERT_NE(stream, nullptr) << result_;
  EXPECT_EQ(stream->fd(), fd) << "it takes the descriptor";
  EXPECT_EQ(stream->kind(), Stream::Kind::kTcp);
  EXPECT_EQ(stream->peer().Host(), "127.0.0.1");
  EXPECT_EQ(stream->peer().Port(), listening.addr.Port());
  seat_.reactor().Close(socket);
  ExpectTalks(stream, Accepted(listening).get());
}

TEST_F(SocketTest, ConnectsByUnixSocketWithoutWaiting) {
  const auto listening = test::ListenUnix();
  Socket* socket = New(sys::Family::kUnix);
  ASSERT_EQ(socket->Connect(listening.addr), 0);
  Stream* stream = nullptr;
  ASSERT_EQ(socket->FinishConnect(Call::kNew, &stream), 0);
  EXPECT_EQ(stream->kind(), Stream::Kind::kUnix);
  EXPECT_EQ(stream->peer().Path(), listening.addr.Path());
  seat_.reactor().Close(socket);
  ExpectTalks(stream, Accepted(listening).get());
}

TEST_F(SocketTest, AConnectThatIsRefusedSaysSo) {
  SockAddr nobody;
  {
    const auto listening = test::ListenTcp();
    nobody = listening.addr;
  }
  EXPECT_EQ(Connect(New(sys::Family::kIp4), nobody), nullptr);
  EXPECT_EQ(result_, -ECONNREFUSED);
}

TEST_F(SocketTest, AConnectThatFailsAtOnceSaysSo) {
  EXPECT_EQ(Connect(New(sys::Family::kUnix), *SockAddr::Unix("@spliceway-nobody")), nullptr);
  EXPECT_EQ(result_, -ECONNREFUSED);
  EXPECT_EQ(Connect(New(sys::Family::kUnix), *SockAddr::Unix("/nonexistent/socket")), nullptr);
  EXPECT_EQ(result_, -ENOENT);
  EXPECT_EQ(Connect(New(sys::Family::kIp4), *SockAddr::Ip("::1", 1, 0)), nullptr);
  EXPECT_EQ(result_, -EAFNOSUPPORT);
}

// EAGAIN is the kernel's word for a Unix socket whose queue is full. No event would follow: to wait
// for one as after EINPROGRESS is to wait for ever.
TEST_F(SocketTest, AFullQueueOfAUnixSocketIsAnErrorAndNoWait) {
  const auto listening = test::ListenUnix(0);
  const OwnFd queued = test::DialBlocking(listening.addr);
  Socket* socket = New(sys::Family::kUnix);
  EXPECT_EQ(socket->Connect(listening.addr), -EAGAIN);
}

TEST_F(SocketTest, AConnectThatGoesOnIsInProgressUntilItsNotice) {
  const auto unanswered = MakeUnanswered();
  Socket* socket = New(sys::Family::kIp4);
  EXPECT_EQ(socket->Connect(unanswered.listening.addr), -EINPROGRESS);
  socket->SetAwait(Side::kWrite, Await::kOnce);
  EXPECT_TRUE(seat_.Turn().empty());
  Stream* stream = nullptr;
  EXPECT_EQ(socket->FinishConnect(Call::kNew, &stream), kAgain);
  EXPECT_EQ(stream, nullptr);
}

TEST_F(SocketTest, ADeadlineEndsAConnectInProgress) {
  const auto unanswered = MakeUnanswered();
  Socket* socket = New(sys::Family::kIp4);
  ASSERT_EQ(socket->Connect(unanswered.listening.addr), -EINPROGRESS);
  const int64_t when = test::SetDeadlineAhead({socket}, Side::kWrite, 3 * kMs);
  EXPECT_EQ(seat_.WaitFor(socket, Side::kWrite), kNoticeWriteExpired);
  EXPECT_GE(MonotonicNow(), when);
  Stream* stream = nullptr;
  EXPECT_EQ(socket->FinishConnect(Call::kNew, &stream), kExpired);
}

TEST_F(SocketTest, ClosingItEndsAConnectInProgress) {
  const auto unanswered = MakeUnanswered();
  Socket* socket = New(sys::Family::kIp4);
  ASSERT_EQ(socket->Connect(unanswered.listening.addr), -EINPROGRESS);
  socket->SetAwait(Side::kWrite, Await::kOnce);
  EXPECT_EQ(seat_.reactor().alive(), 1);
  seat_.reactor().Close(socket);
  EXPECT_EQ(seat_.reactor().alive(), 0);
  EXPECT_TRUE(seat_.Turn().empty());
}

TEST_F(SocketTest, AConnectToTheWildcardEndsAtTheLoopbackAddress) {
  const auto listening = test::ListenTcp();
  const auto wildcard = SockAddr::Ip("0.0.0.0", listening.addr.Port(), 0);
  Stream* stream = Connect(New(sys::Family::kIp4), *wildcard);
  ASSERT_NE(stream, nullptr) << result_;
  EXPECT_EQ(stream->peer().Host(), "127.0.0.1");
  EXPECT_EQ(stream->peer().Port(), listening.addr.Port());
}

TEST_F(SocketTest, OnceSharedItsStreamIsTakenOutOfThePollerToo) {
  const auto listening = test::ListenUnix();
  Socket* socket = New(sys::Family::kUnix);
  const OwnFd copy = std::move(sys::Duplicate(socket->fd()).value());
  socket->MarkShared();
  Stream* stream = Connect(socket, listening.addr);
  ASSERT_NE(stream, nullptr) << result_;
  seat_.reactor().Close(socket);
  const OwnFd peer = Accepted(listening);
  seat_.reactor().Close(stream);
  ASSERT_TRUE(test::SendAll(peer.get(), "x"));
  EXPECT_FALSE(test::IsReadable(seat_.reactor().fd()));
}

// Its bytes and its FIN came while the handle was a socket still, and raised no event of a stream.
TEST_F(SocketTest, WhatThePeerSentBeforeTheConnectWasFinishedIsNotLost) {
  const auto listening = test::ListenTcp();
  Socket* socket = New(sys::Family::kIp4);
  ASSERT_EQ(socket->Connect(listening.addr), -EINPROGRESS);
  EXPECT_EQ(seat_.WaitFor(socket, Side::kWrite), kNoticeWritable);
  ASSERT_TRUE(test::SendAll(Accepted(listening).get(), "greeting"));
  ASSERT_TRUE(test::Await(socket->fd(), POLLRDHUP));
  Stream* stream = nullptr;
  ASSERT_EQ(socket->FinishConnect(Call::kResumed, &stream), 0);
  seat_.reactor().Close(socket);
  EXPECT_EQ(seat_.WaitFor(stream, Side::kRead), kNoticeReadable);
  char p[64];
  EXPECT_EQ(stream->Read(p, sizeof(p), Call::kResumed), 8);
  EXPECT_EQ(stream->Read(p, sizeof(p), Call::kNew), 0);
}

TEST_F(SocketTest, APeerThatResetsBeforeTheConnectWasFinishedIsItsError) {
  const auto listening = test::ListenTcp();
  Socket* socket = New(sys::Family::kIp4);
  ASSERT_EQ(socket->Connect(listening.addr), -EINPROGRESS);
  EXPECT_EQ(seat_.WaitFor(socket, Side::kWrite), kNoticeWritable);
  test::Reset(Accepted(listening));
  ASSERT_TRUE(test::Await(socket->fd(), POLLERR));
  Stream* stream = nullptr;
  EXPECT_EQ(socket->FinishConnect(Call::kResumed, &stream), -ECONNRESET);
  EXPECT_EQ(stream, nullptr);
}

TEST_F(SocketTest, ListensAndBecomesAListener) {
  Socket* socket = New(sys::Family::kIp4);
  ASSERT_TRUE(sys::Bind(socket->fd(), *SockAddr::Ip("127.0.0.1", 0, 0)).ok());
  const int fd = socket->fd();
  const auto listener = socket->Listen(16, std::move(sys::OpenReserve().value()));
  ASSERT_TRUE(listener.ok());
  EXPECT_EQ(listener.value()->fd(), fd) << "it takes the descriptor";
  seat_.reactor().Close(socket);
  const OwnFd client = test::DialBlocking(sys::LocalAddr(fd).value());
  EXPECT_EQ(seat_.WaitFor(listener.value(), Side::kRead), kNoticeReadable);
  int32_t id = -1;
  EXPECT_EQ(listener.value()->Accept({&id, 1}, Call::kResumed), 1);
}

TEST_F(SocketTest, AListenThatFailsLeavesTheSocket) {
  const auto unanswered = MakeUnanswered();
  Socket* socket = New(sys::Family::kIp4);
  ASSERT_EQ(socket->Connect(unanswered.listening.addr), -EINPROGRESS);
  const auto listener = socket->Listen(16, {});
  ASSERT_FALSE(listener.ok());
  EXPECT_STREQ(listener.error().syscall, "listen");
  EXPECT_EQ(listener.error().number, EINVAL);
  EXPECT_GE(socket->fd(), 0);
}

}  // namespace
}  // namespace spliceway
