#include "core/packet.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <vector>

#include "support/pair.h"
#include "support/seat.h"
#include "sys/fault.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

using sys::Datagram;
namespace fault = sys::fault;

// A UDP socket on the reactor, and a bare one that talks to it.
class PacketTest : public testing::Test {
 protected:
  PacketTest() : near_(Bound()), far_(Bound()) {
    near_addr_ = sys::LocalAddr(near_.get()).value();
    far_addr_ = sys::LocalAddr(far_.get()).value();
    socket_ = seat_.AdoptPackets(std::move(near_));
  }

  static OwnFd Bound() {
    auto fd = std::move(sys::Socket(sys::Family::kIp4, sys::SocketType::kDatagram).value());
    EXPECT_TRUE(sys::Bind(fd.get(), *SockAddr::Ip("127.0.0.1", 0, 0)).ok());
    return fd;
  }

  void Arrives(const std::string& bytes) {
    ASSERT_EQ(sys::SendTo(far_.get(), bytes.data(), bytes.size(), &near_addr_),
              static_cast<int64_t>(bytes.size()));
  }
  // The next datagram at the bare socket, waited for.
  std::string Taken() {
    EXPECT_TRUE(test::AwaitReadable(far_.get()));
    char p[65536];
    SockAddr from;
    const int64_t n = sys::ReceiveFrom(far_.get(), p, sizeof(p), &from);
    EXPECT_GE(n, 0);
    return std::string(p, n > 0 ? static_cast<size_t>(n) : 0);
  }
  // The next datagram at the reactor's, waited for; its result in `last_`.
  std::string Received() {
    char p[65536];
    while ((last_ = socket_->Receive(p, sizeof(p), &from_, Call::kResumed)) == kAgain) {
      if (seat_.WaitFor(socket_, Side::kRead) == 0) break;
    }
    return std::string(p, last_ > 0 ? static_cast<size_t>(last_) : 0);
  }

  // Datagrams over the given payloads, whose slices lie one after the other.
  struct Batch {
    explicit Batch(std::vector<std::string> all) : payloads(std::move(all)) {
      for (std::string& p : payloads) slices.push_back({p.data(), p.size()});
      datagrams.resize(slices.size());
      for (size_t i = 0; i < slices.size(); ++i) datagrams[i].slices = {&slices[i], 1};
    }
    std::vector<std::string> payloads;
    std::vector<iovec> slices;
    std::vector<Datagram> datagrams;
  };
  int64_t SendAll(const std::vector<std::string>& payloads) {
    Batch batch(payloads);
    for (Datagram& datagram : batch.datagrams) datagram.addr = far_addr_;
    return socket_->SendBatch(batch.datagrams, Call::kNew);
  }

  test::Seat seat_;
  OwnFd near_, far_;
  SockAddr near_addr_, far_addr_, from_;
  PacketSocket* socket_;
  int64_t last_ = 0;
};

TEST_F(PacketTest, ReceivesDatagramsWholeWithTheirSender) {
  Arrives("one");
  Arrives("");
  Arrives("three");
  EXPECT_EQ(Received(), "one");
  EXPECT_EQ(from_.Port(), far_addr_.Port());
  EXPECT_EQ(from_.Host(), "127.0.0.1");
  EXPECT_EQ(Received(), "");
  EXPECT_EQ(last_, 0);
  EXPECT_EQ(Received(), "three");
}

TEST_F(PacketTest, MakesNoCallBeforeAnEventAndAfterAnEmptyQueue) {
  fault::Script script;
  script.On(fault::kRecvfrom, socket_->fd()).Then(EBADF);  // would be reported
  char p[8];
  EXPECT_EQ(socket_->Receive(p, sizeof(p), &from_, Call::kNew), kAgain);
  EXPECT_FALSE(script.done());
}

TEST_F(PacketTest, IsToldOfEachDatagramThatComesToAnEmptyQueue) {
  for (int i = 0; i < 3; ++i) {
    socket_->SetAwait(Side::kRead, Await::kOnce);
    Arrives("x");
    EXPECT_EQ(seat_.AwaitNotice(socket_), kNoticeReadable);
    EXPECT_EQ(Received(), "x");
    char p[8];
    EXPECT_EQ(socket_->Receive(p, sizeof(p), &from_, Call::kNew), kAgain);
  }
}

TEST_F(PacketTest, RetriesWhatASignalInterrupts) {
  Arrives("x");
  seat_.WaitFor(socket_, Side::kRead);
  fault::Script script;
  script.On(fault::kRecvfrom, socket_->fd()).Then(EINTR, 2);
  script.On(fault::kSendto, socket_->fd()).Then(EINTR, 2);
  EXPECT_EQ(Received(), "x");
  EXPECT_EQ(socket_->Send("y", 1, &far_addr_, Call::kNew), 1);
  EXPECT_EQ(Taken(), "y");
  EXPECT_TRUE(script.done());
}

TEST_F(PacketTest, ReportsAnErrorOnceAndGoesOn) {
  Arrives("x");
  seat_.WaitFor(socket_, Side::kRead);
  fault::Script script;
  script.On(fault::kRecvfrom, socket_->fd()).Then(ECONNREFUSED);
  char p[8];
  EXPECT_EQ(socket_->Receive(p, sizeof(p), &from_, Call::kNew), -ECONNREFUSED);
  EXPECT_EQ(Received(), "x");
}

TEST_F(PacketTest, WaitsForRoomWhenTheKernelHasNone) {
  fault::Script script;
  script.On(fault::kSendto, socket_->fd()).Then(EAGAIN);
  EXPECT_EQ(socket_->Send("x", 1, &far_addr_, Call::kNew), kAgain);
  // Nothing is tried before the event.
  EXPECT_EQ(socket_->Send("x", 1, &far_addr_, Call::kNew), kAgain);
  EXPECT_EQ(seat_.WaitFor(socket_, Side::kWrite), kNoticeWritable);
  EXPECT_EQ(socket_->Send("x", 1, &far_addr_, Call::kResumed), 1);
  EXPECT_EQ(Taken(), "x");
}

TEST_F(PacketTest, AWakeUpMakesAWaitingSendWorthTrying) {
  fault::Script script;
  script.On(fault::kSendto, socket_->fd()).Then(EAGAIN);
  EXPECT_EQ(socket_->Send("x", 1, &far_addr_, Call::kNew), kAgain);
  socket_->SetAwait(Side::kWrite, Await::kOnce);
  socket_->WakeUp(Side::kWrite);
  EXPECT_EQ(seat_.AwaitNotice(socket_), kNoticeWritable);
  EXPECT_EQ(socket_->Send("x", 1, &far_addr_, Call::kResumed), 1);
}

TEST_F(PacketTest, ADeadlineRefusesNewCallsOfItsDirection) {
  Arrives("kept");
  seat_.WaitFor(socket_, Side::kRead);
  EXPECT_TRUE(socket_->SetDeadline(Side::kRead, 1));
  char p[8];
  EXPECT_EQ(socket_->Receive(p, sizeof(p), &from_, Call::kNew), kExpired);
  Batch batch({std::string(8, ' ')});
  EXPECT_EQ(socket_->ReceiveBatch(batch.datagrams, Call::kNew), kExpired);
  EXPECT_EQ(socket_->Send("x", 1, &far_addr_, Call::kNew), 1);
  socket_->SetDeadline(Side::kRead, kNever);
  EXPECT_EQ(Received(), "kept");
}

TEST_F(PacketTest, TellsWhatWasCutOff) {
  Arrives("0123456789");
  seat_.WaitFor(socket_, Side::kRead);
  char p[4];
  iovec slice{p, sizeof(p)};
  Datagram datagram;
  datagram.slices = {&slice, 1};
  EXPECT_EQ(socket_->Receive(&datagram, Call::kNew), 4);
  EXPECT_TRUE(datagram.truncated);
  EXPECT_NE(datagram.flags & MSG_TRUNC, 0);
  EXPECT_EQ(datagram.addr.Port(), far_addr_.Port());
}

TEST_F(PacketTest, ReceivesABatchUpToItsRoom) {
  for (const char* word : {"a", "bb", "ccc"}) Arrives(word);
  seat_.WaitFor(socket_, Side::kRead);
  const std::string room(8, ' ');
  Batch batch({room, room});
  ASSERT_EQ(socket_->ReceiveBatch(batch.datagrams, Call::kNew), 2);
  EXPECT_EQ(batch.datagrams[0].size, 1u);
  EXPECT_EQ(batch.datagrams[1].size, 2u);
  EXPECT_EQ(batch.datagrams[1].addr.Port(), far_addr_.Port());
  EXPECT_EQ(Received(), "ccc");
}

TEST_F(PacketTest, SendsABatchWholeInItsOrder) {
  const std::vector<std::string> payloads = {"same", "size", "then", "end", "", "longer one", "x"};
  EXPECT_EQ(SendAll(payloads), static_cast<int64_t>(payloads.size()));
  for (const std::string& payload : payloads) EXPECT_EQ(Taken(), payload);
}

TEST_F(PacketTest, SendsNoMoreThanOneCallTakes) {
  const std::vector<std::string> payloads(100, "x");
  EXPECT_EQ(SendAll(payloads), static_cast<int64_t>(sys::kMaxDatagrams));
}

TEST_F(PacketTest, ABatchThatTheKernelTakesInPartSaysHowMuch) {
  if (!sys::CanSegment(socket_->fd())) GTEST_SKIP() << "the system cuts nothing";
  fault::Script script;
  script.On(fault::kSendmmsg, socket_->fd()).ShortenTo(1);
  // The first three go in one piece, the fourth on its own.
  EXPECT_EQ(SendAll({"aa", "bb", "c", "dddd"}), 3);
  for (const char* word : {"aa", "bb", "c"}) EXPECT_EQ(Taken(), word);
  EXPECT_FALSE(test::IsReadable(far_.get()));
}

#ifdef __linux__
TEST_F(PacketTest, WhereThePathDoesNotCutPiecesDatagramsGoOneByOne) {
  for (const int error : {EIO, EINVAL, EMSGSIZE}) {
    PacketSocket* socket = seat_.AdoptPackets(Bound());
    Batch batch({"aa", "bb", "c"});
    for (Datagram& datagram : batch.datagrams) datagram.addr = far_addr_;
    fault::Script script;
    script.On(fault::kSendmmsg, socket->fd()).Then(error);
    EXPECT_EQ(socket->SendBatch(batch.datagrams, Call::kNew), 3);
    EXPECT_TRUE(script.done());
    for (const char* word : {"aa", "bb", "c"}) EXPECT_EQ(Taken(), word);
    EXPECT_EQ(socket->SendBatch(batch.datagrams, Call::kNew), 3);
    for (const char* word : {"aa", "bb", "c"}) EXPECT_EQ(Taken(), word);
  }
}

TEST_F(PacketTest, AnErrorThatIsNotThePiecesFaultIsReported) {
  fault::Script script;
  script.On(fault::kSendmmsg, socket_->fd()).Then(EPERM);
  EXPECT_EQ(SendAll({"aa", "bb"}), -EPERM);
  script.On(fault::kSendmmsg, socket_->fd()).Then(EINVAL);
  EXPECT_EQ(SendAll({"a", "bbb"}), -EINVAL);  // nothing here went in one piece
}

TEST_F(PacketTest, CoalescedDatagramsSayHowLongEachIs) {
  socket_->SetCoalescing(true);
  int on = 0;
  if (const auto set = sys::GetInt(socket_->fd(), IPPROTO_UDP, 104); set.ok()) on = set.value();
  if (on == 0) GTEST_SKIP() << "the system does not coalesce";
  PacketSocket* sender = seat_.AdoptPackets(Bound());
  Batch batch({"aaa", "bbb", "c"});
  for (Datagram& datagram : batch.datagrams) datagram.addr = near_addr_;
  ASSERT_EQ(sender->SendBatch(batch.datagrams, Call::kNew), 3);
  seat_.WaitFor(socket_, Side::kRead);
  Batch received({std::string(64, ' '), std::string(64, ' ')});
  ASSERT_EQ(socket_->ReceiveBatch(received.datagrams, Call::kNew), 1);
  EXPECT_EQ(received.datagrams[0].size, 7u);
  EXPECT_EQ(received.datagrams[0].segment, 3u);
  EXPECT_EQ(received.payloads[0].substr(0, 7), "aaabbbc");
}
#endif

TEST_F(PacketTest, NeighboursToDifferentDestinationsArriveEachAtItsOwn) {
  const OwnFd other = Bound();
  const SockAddr other_addr = sys::LocalAddr(other.get()).value();
  Batch batch({"1", "2", "3", "4"});
  for (size_t i = 0; i < 4; ++i) batch.datagrams[i].addr = i < 2 ? far_addr_ : other_addr;
  ASSERT_EQ(socket_->SendBatch(batch.datagrams, Call::kNew), 4);
  EXPECT_EQ(Taken(), "1");
  EXPECT_EQ(Taken(), "2");
  EXPECT_FALSE(test::IsReadable(far_.get()));
  EXPECT_EQ(test::ReceiveSome(other.get()), "3");
  EXPECT_EQ(test::ReceiveSome(other.get()), "4");
}

TEST_F(PacketTest, CarriesDescriptorsThatAreCloseOnExec) {
  auto pair = test::UnixPair(sys::SocketType::kDatagram);
  PacketSocket* socket = seat_.AdoptPackets(std::move(pair.near));
  union {
    cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control{};
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  *reinterpret_cast<int*>(CMSG_DATA(&control.header)) = far_.get();
  const std::span<uint8_t> ancillary(reinterpret_cast<uint8_t*>(control.bytes),
                                     sizeof(control.bytes));
  iovec slice{const_cast<char*>("x"), 1};
  Datagram sent;
  sent.slices = {&slice, 1};
  sent.control = ancillary;
  ASSERT_EQ(sys::SendDatagram(pair.far.get(), sent), 1);

  seat_.WaitFor(socket, Side::kRead);
  char p[8];
  iovec room{p, sizeof(p)};
  Datagram got;
  got.slices = {&room, 1};
  got.control = ancillary;
  ASSERT_EQ(socket->Receive(&got, Call::kNew), 1);
  EXPECT_EQ(got.addr.size(), 0u);  // the sender has no name
  EXPECT_EQ(got.control.size(), sizeof(control.bytes));
  EXPECT_EQ(got.flags, 0);
  const OwnFd passed(*reinterpret_cast<int*>(CMSG_DATA(&control.header)));
  EXPECT_TRUE(sys::LocalAddr(passed.get()).ok());
}

TEST_F(PacketTest, ShutdownIsHeardByWhoeverWaits) {
  auto pair = test::UnixPair(sys::SocketType::kDatagram);
  PacketSocket* socket = seat_.AdoptPackets(std::move(pair.near));
  socket->SetAwait(Side::kRead, Await::kOnce);
  ASSERT_TRUE(socket->Shutdown(sys::ShutdownHow::kRead).ok());
  EXPECT_EQ(seat_.AwaitNotice(socket), kNoticeReadable);
  char p[8];
  EXPECT_EQ(socket->Receive(p, sizeof(p), &from_, Call::kResumed), kAgain);
  EXPECT_LT(sys::SendTo(pair.far.get(), "x", 1, nullptr), 0);
}

TEST_F(PacketTest, TakesASocketsDescriptorOver) {
  Socket* bare = seat_.AdoptSocket(Bound(), Stream::Kind::kTcp);
  const SockAddr at = sys::LocalAddr(bare->fd()).value();
  auto* packets = seat_.reactor().Adopt(std::make_unique<PacketSocket>(&seat_.reactor(), OwnFd()));
  ASSERT_TRUE(packets->StartWith(bare).ok());
  seat_.reactor().Close(bare);
  ASSERT_EQ(sys::SendTo(far_.get(), "x", 1, &at), 1);
  EXPECT_EQ(seat_.WaitFor(packets, Side::kRead), kNoticeReadable);
}

}  // namespace
}  // namespace spliceway
