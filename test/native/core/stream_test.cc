#include "core/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/pair.h"
#include "support/pattern.h"
#include "support/seat.h"
#include "sys/fault.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

using sys::ShutdownHow;
using test::Told;

// A stream on one end of a connection; the other end is a bare descriptor.
class StreamOn {
 public:
  explicit StreamOn(Stream::Kind kind) {
    auto pair = kind == Stream::Kind::kTcp       ? test::TcpPair()
                : kind == Stream::Kind::kPackets ? test::UnixPair(sys::SocketType::kPacket)
                                                 : test::UnixPair();
    far = std::move(pair.far);
    stream = seat.Adopt(std::move(pair.near), kind);
  }

  int64_t Read(void* p, size_t n, Call call = Call::kNew) { return stream->Read(p, n, call); }
  // One read of up to 4 KiB, waited for: its bytes, and its result in `last`.
  std::string ReadSome() {
    char p[4096];
    while ((last = stream->Read(p, sizeof(p), Call::kResumed)) == kAgain) {
      if (seat.WaitFor(stream, Side::kRead) == 0) break;  // has failed the test already
    }
    return std::string(p, last > 0 ? static_cast<size_t>(last) : 0);
  }
  // Everything up to the end of the stream or an error; which of them, in `last`.
  std::string ReadToEnd() {
    std::string all;
    do all += ReadSome();
    while (last > 0);
    return all;
  }
  std::string ReadAtLeast(size_t n) {
    std::string all;
    do all += ReadSome();
    while (last > 0 && all.size() < n);
    return all;
  }
  // Writes until the kernel takes no more. How many bytes it took.
  size_t WriteUntilFull() {
    const std::string block(64 * 1024, 'x');
    size_t sent = 0;
    for (;;) {
      const int64_t n = stream->Write(block.data(), block.size(), Call::kNew);
      if (n < 0) {
        EXPECT_EQ(n, kAgain);
        return sent;
      }
      sent += static_cast<size_t>(n);
    }
  }

  test::Seat seat;
  OwnFd far;
  Stream* stream;
  int64_t last = 0;
};

class EveryKind : public testing::TestWithParam<Stream::Kind>, protected StreamOn {
 protected:
  EveryKind() : StreamOn(GetParam()) {}
};
class BytesKinds : public EveryKind {};

INSTANTIATE_TEST_SUITE_P(Kinds, EveryKind,
                         testing::Values(Stream::Kind::kTcp, Stream::Kind::kUnix,
                                         Stream::Kind::kPackets));
INSTANTIATE_TEST_SUITE_P(Kinds, BytesKinds,
                         testing::Values(Stream::Kind::kTcp, Stream::Kind::kUnix));

TEST_P(EveryKind, ReadsWhatThePeerSent) {
  EXPECT_EQ(Read(nullptr, 0), kAgain);
  ASSERT_TRUE(test::SendAll(far.get(), "hello"));
  EXPECT_EQ(ReadSome(), "hello");
}

TEST_P(EveryKind, WritesWhatThePeerReceives) {
  EXPECT_EQ(stream->Write("hello", 5, Call::kNew), 5);
  EXPECT_EQ(test::ReceiveSome(far.get()), "hello");
}

TEST_P(EveryKind, WritesVectorsInOneCall) {
  std::string a = "one ", b = "", c = "two";
  const iovec slices[] = {{a.data(), a.size()}, {b.data(), b.size()}, {c.data(), c.size()}};
  EXPECT_EQ(stream->WriteVector(slices, 3, Call::kNew), 7);
  EXPECT_EQ(test::ReceiveSome(far.get()), "one two");
}

TEST_P(EveryKind, IsNewUntilTheFirstReadOrWrite) {
  EXPECT_FALSE(stream->used());
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), 1);
  EXPECT_TRUE(stream->used());
  StreamOn other(GetParam());
  char p;
  EXPECT_EQ(other.Read(&p, 1), kAgain);
  EXPECT_TRUE(other.stream->used());
}

TEST_P(EveryKind, ReadinessThatWasThereBeforeTheStreamIsReported) {
  auto pair = test::UnixPair();
  ASSERT_TRUE(test::SendAll(pair.far.get(), "early"));
  Stream* late = seat.Adopt(std::move(pair.near), Stream::Kind::kUnix);
  char p[16];
  EXPECT_EQ(late->Read(p, sizeof(p), Call::kNew), kAgain) << "no event has said so yet";
  EXPECT_EQ(seat.WaitFor(late, Side::kRead), kNoticeReadable);
  EXPECT_EQ(late->Read(p, sizeof(p), Call::kResumed), 5);
}

TEST_P(EveryKind, TheEndIsAskedOfTheKernelEachTime) {
  ASSERT_TRUE(sys::Shutdown(far.get(), ShutdownHow::kWrite).ok());
  EXPECT_EQ(ReadSome(), "");
  EXPECT_EQ(last, 0);
  char p;
  EXPECT_EQ(Read(&p, 1), 0);
  sys::fault::Script script;
  script.On(sys::fault::kRecv).Then(ENOTCONN);
  EXPECT_EQ(Read(&p, 1), -ENOTCONN);
  EXPECT_EQ(Read(&p, 1), 0);
  EXPECT_TRUE(script.done());
}

TEST_P(EveryKind, HalfClosedByThePeerItStillWrites) {
  ASSERT_TRUE(sys::Shutdown(far.get(), ShutdownHow::kWrite).ok());
  EXPECT_EQ(ReadSome(), "");
  EXPECT_EQ(stream->Write("reply", 5, Call::kNew), 5);
  EXPECT_EQ(test::ReceiveSome(far.get()), "reply");
}

TEST_P(EveryKind, ClosingItsReadSideEndsAWaitingRead) {
  stream->SetAwait(Side::kRead, Await::kOnce);
  EXPECT_TRUE(seat.Turn().empty());
  ASSERT_TRUE(stream->Shutdown(ShutdownHow::kRead).ok());
  EXPECT_TRUE(stream->ready(Side::kRead)) << "whether or not the kernel tells of it";
  EXPECT_EQ(seat.AwaitNotice(stream), kNoticeReadable);
  char p;
  EXPECT_EQ(Read(&p, 1, Call::kResumed), 0);
  EXPECT_EQ(Read(&p, 1), 0);
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), 1) << "the other direction is untouched";
}

TEST_P(EveryKind, ClosingItsReadSideDoesNotThrowAwayWhatCameBefore) {
  ASSERT_TRUE(test::SendAll(far.get(), "last words"));
  seat.WaitFor(stream, Side::kRead);
  ASSERT_TRUE(stream->Shutdown(ShutdownHow::kRead).ok());
  EXPECT_EQ(ReadSome(), "last words");
  EXPECT_TRUE(stream->ready(Side::kRead)) << "the end is behind it";
  EXPECT_EQ(ReadSome(), "");
  EXPECT_EQ(last, 0);
}

TEST_P(EveryKind, AfterClosingItsWriteSideWritesFailWithEpipeAndThePeerReadsTheEnd) {
  ASSERT_TRUE(stream->Shutdown(ShutdownHow::kWrite).ok());
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), -EPIPE);
  EXPECT_EQ(test::ReceiveSome(far.get()), "");
  ASSERT_TRUE(test::SendAll(far.get(), "still open"));
  EXPECT_EQ(ReadSome(), "still open");
}

TEST_P(EveryKind, ClosingItsWriteSideEndsABlockedWrite) {
  WriteUntilFull();
  stream->SetAwait(Side::kWrite, Await::kOnce);
  EXPECT_TRUE(seat.Turn().empty());
  ASSERT_TRUE(stream->Shutdown(ShutdownHow::kWrite).ok());
  EXPECT_EQ(seat.AwaitNotice(stream), kNoticeWritable);
  EXPECT_EQ(stream->Write("x", 1, Call::kResumed), -EPIPE);
}

TEST_P(EveryKind, ClosingBothSidesEndsBothWaits) {
  WriteUntilFull();
  stream->SetAwait(Side::kRead, Await::kOnce);
  stream->SetAwait(Side::kWrite, Await::kOnce);
  ASSERT_TRUE(stream->Shutdown(ShutdownHow::kBoth).ok());
  EXPECT_EQ(seat.AwaitNotice(stream), kNoticeReadable | kNoticeWritable);
}

TEST(Stream, ShutdownReportsWhatTheKernelRefuses) {
  test::Seat seat;
  auto fd = sys::Socket(sys::Family::kIp4, sys::SocketType::kStream);
  Stream* never = seat.Adopt(std::move(fd.value()), Stream::Kind::kTcp);
  const Status status = never->Shutdown(ShutdownHow::kWrite);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().number, ENOTCONN);
}

TEST_P(EveryKind, AFullKernelSaysAgainAndTellsWhenThereIsRoom) {
  const size_t sent = WriteUntilFull();
  EXPECT_GT(sent, 0u);
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), kAgain);
  stream->SetAwait(Side::kWrite, Await::kOnce);
  EXPECT_TRUE(seat.Turn().empty());
  EXPECT_EQ(test::DrainAtLeast(far.get(), sent), sent);
  EXPECT_EQ(seat.AwaitNotice(stream), kNoticeWritable);
  EXPECT_EQ(stream->Write("x", 1, Call::kResumed), 1);
}

TEST_P(EveryKind, IsFullAndDrainedAgainAndAgain) {
  for (int round = 0; round < 3; ++round) {
    const size_t sent = WriteUntilFull();
    stream->SetAwait(Side::kWrite, Await::kOnce);
    EXPECT_EQ(test::DrainAtLeast(far.get(), sent), sent);
    EXPECT_EQ(seat.AwaitNotice(stream), kNoticeWritable) << "round " << round;
  }
}

TEST_P(EveryKind, RoomThatCameBeforeItWasAwaitedIsToldAsWell) {
  const size_t sent = WriteUntilFull();
  EXPECT_EQ(test::DrainAtLeast(far.get(), sent), sent);
  ASSERT_TRUE(test::Await(stream->fd(), POLLOUT));
  EXPECT_EQ(seat.WaitFor(stream, Side::kWrite), kNoticeWritable);
}

TEST_P(EveryKind, APeerThatGoesEndsABlockedWrite) {
  WriteUntilFull();
  stream->SetAwait(Side::kWrite, Await::kOnce);
  test::Reset(std::move(far));
  EXPECT_NE(seat.AwaitNotice(stream) & kNoticeWritable, 0u);
  const int64_t result = stream->Write("x", 1, Call::kResumed);
  EXPECT_TRUE(result == -ECONNRESET || result == -EPIPE) << result;
}

// Each error of a call comes out as it is, and the next call is made all the same.
TEST_P(EveryKind, ErrorsComeOutAsTheyAreAndEintrNever) {
  ASSERT_TRUE(test::SendAll(far.get(), "hello"));
  seat.WaitFor(stream, Side::kRead);
  sys::fault::Script script;
  script.On(sys::fault::kRecv).Then(EINTR, 2).Then(ECONNRESET).Then(ETIMEDOUT);
  script.On(sys::fault::kSend).Then(EINTR, 2).Then(ECONNRESET);
  script.On(sys::fault::kSendmsg).Then(EINTR, 2).Then(ECONNRESET);
  char p[16];
  EXPECT_EQ(Read(p, sizeof(p)), -ECONNRESET);
  EXPECT_EQ(Read(p, sizeof(p)), -ETIMEDOUT);
  EXPECT_EQ(Read(p, sizeof(p)), 5);
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), -ECONNRESET);
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), 1);
  const iovec slice = {p, 1};
  EXPECT_EQ(stream->WriteVector(&slice, 1, Call::kNew), -ECONNRESET);
  EXPECT_EQ(stream->WriteVector(&slice, 1, Call::kNew), 1);
  EXPECT_TRUE(script.done());
}

TEST_P(EveryKind, AnEagainThatIsOverAlreadyDoesNotHangTheWriter) {
  sys::fault::Script script;
  script.On(sys::fault::kSend).Then(EAGAIN);
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), kAgain);
  EXPECT_EQ(seat.WaitFor(stream, Side::kWrite), kNoticeWritable);
  EXPECT_EQ(stream->Write("x", 1, Call::kResumed), 1);
}

TEST_P(EveryKind, AfterEagainNoCallIsMadeUntilAnEventSaysSo) {
  sys::fault::Script script;
  script.On(sys::fault::kSend).Then(EAGAIN).Then(EIO);
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), kAgain);
  EXPECT_EQ(stream->Write("x", 1, Call::kNew), kAgain);
  EXPECT_FALSE(script.done());
}

TEST_P(BytesKinds, AShortWriteIsReportedAndTheRestGoesOn) {
  sys::fault::Script script;
  script.On(sys::fault::kSend).ShortenTo(3).Then(EINTR).ShortenTo(1);
  EXPECT_EQ(stream->Write("hello", 5, Call::kNew), 3);
  EXPECT_EQ(stream->Write("lo", 2, Call::kNew), 1);
  EXPECT_EQ(seat.WaitFor(stream, Side::kWrite), kNoticeWritable);
  EXPECT_EQ(stream->Write("o", 1, Call::kResumed), 1);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(test::ReceiveSome(far.get()), "hello");
}

// A writer that is far ahead of its reader, with buffers so small that it blocks many times.
TEST_P(BytesKinds, MuchMoreThanFitsArrivesWholeAndInOrder) {
  ASSERT_TRUE(sys::SetWriteBuffer(stream->fd(), 8 * 1024).ok());
  const std::string bytes = test::Pattern(2 * 1024 * 1024);
  std::string received;
  int blocked = 0;
  for (size_t sent = 0; sent < bytes.size();) {
    const int64_t n = stream->Write(bytes.data() + sent, bytes.size() - sent, Call::kResumed);
    if (n == kAgain) {
      ++blocked;
      do received += test::ReceiveSome(far.get());
      while (test::IsReadable(far.get()));
      EXPECT_EQ(seat.WaitFor(stream, Side::kWrite), kNoticeWritable);
    } else {
      ASSERT_GT(n, 0);
      sent += static_cast<size_t>(n);
    }
  }
  ASSERT_TRUE(stream->Shutdown(ShutdownHow::kWrite).ok());
  for (std::string more = "-"; !more.empty();) received += more = test::ReceiveSome(far.get());
  EXPECT_GT(blocked, 1);
  EXPECT_TRUE(received == bytes);
}

TEST_P(BytesKinds, AReadThatFillsItsBufferLeavesTheStreamReadable) {
  ASSERT_TRUE(test::SendAll(far.get(), "hello"));
  seat.WaitFor(stream, Side::kRead);
  char p[2];
  EXPECT_EQ(Read(p, 2), 2);
  EXPECT_TRUE(stream->ready(Side::kRead));
  EXPECT_EQ(seat.WaitFor(stream, Side::kRead), kNoticeReadable) << "though no edge comes";
  EXPECT_EQ(Read(p, 2), 2);
  EXPECT_EQ(Read(p, 2), 1);
}

TEST(TcpStream, AfterAShortReadNoCallIsMadeBeforeTheNextEdge) {
  StreamOn on(Stream::Kind::kTcp);
  for (const char* text : {"first", "second", "third"}) {
    ASSERT_TRUE(test::SendAll(on.far.get(), text));
    EXPECT_EQ(on.ReadSome(), text);
    EXPECT_FALSE(on.stream->ready(Side::kRead));
    sys::fault::Script script;
    script.On(sys::fault::kRecv).Then(EIO);
    char p;
    EXPECT_EQ(on.Read(&p, 1), kAgain);
    EXPECT_FALSE(script.done()) << "it would only have said EAGAIN";
  }
}

TEST(UnixStream, AfterAShortReadOnlyEagainProvesTheQueueEmpty) {
  StreamOn on(Stream::Kind::kUnix);
  ASSERT_TRUE(test::SendAll(on.far.get(), "hello"));
  EXPECT_EQ(on.ReadSome(), "hello");
  EXPECT_TRUE(on.stream->ready(Side::kRead));
  char p;
  EXPECT_EQ(on.Read(&p, 1), kAgain);
  EXPECT_FALSE(on.stream->ready(Side::kRead));
}

TEST(TcpStream, AnEagainOfAReadThatIsOverAlreadyLosesNoByte) {
  StreamOn on(Stream::Kind::kTcp);
  ASSERT_TRUE(test::SendAll(on.far.get(), "first "));
  on.seat.WaitFor(on.stream, Side::kRead);
  {
    sys::fault::Script script;
    script.On(sys::fault::kRecv).Then(EAGAIN);
    char p;
    EXPECT_EQ(on.Read(&p, 1), kAgain);
    EXPECT_TRUE(script.done());
  }
  ASSERT_TRUE(test::SendAll(on.far.get(), "second"));
  EXPECT_EQ(on.ReadAtLeast(12), "first second");
}

// What a peer can do at its end, and what the reader must find. None raises a second edge when it
// comes in one event with the bytes before it.
struct Ending {
  const char* name;
  Stream::Kind kind;
  std::function<void(OwnFd)> act;
  const char* bytes;
};

void SendOutOfBand(int fd) { EXPECT_EQ(send(fd, "!", 1, MSG_OOB), 1); }

// A message that carries a descriptor: a read stops short before it.
void SendWithDescriptor(int fd, const std::string& bytes) {
  const OwnFd passed = std::move(sys::OpenReserve().value());
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec slice = {const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &slice;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int raw = passed.get();
  std::memcpy(CMSG_DATA(header), &raw, sizeof(raw));
  EXPECT_EQ(sendmsg(fd, &message, 0), static_cast<ssize_t>(bytes.size()));
}

std::vector<Ending> Endings() {
  std::vector<Ending> all;
  for (const auto kind : {Stream::Kind::kTcp, Stream::Kind::kUnix}) {
    all.push_back({"Fin", kind, [](OwnFd) {}, ""});
    all.push_back({"DataAndFin", kind, [](OwnFd fd) { test::SendAll(fd.get(), "data"); }, "data"});
    all.push_back({"DataAndShutdownThenClose", kind,
                   [](OwnFd fd) {
                     test::SendAll(fd.get(), "data");
                     EXPECT_TRUE(sys::Shutdown(fd.get(), ShutdownHow::kWrite).ok());
                   },
                   "data"});
  }
  const auto tcp = Stream::Kind::kTcp;
  all.push_back({"Reset", tcp, [](OwnFd fd) { test::Reset(std::move(fd)); }, ""});
  all.push_back({"DataAndReset", tcp,
                 [](OwnFd fd) {
                   test::SendAll(fd.get(), "data");
                   test::Reset(std::move(fd));
                 },
                 "data"});
  all.push_back({"UrgentByteAndFin", tcp,
                 [](OwnFd fd) {
                   test::SendAll(fd.get(), "da");
                   SendOutOfBand(fd.get());
                   test::SendAll(fd.get(), "ta");
                 },
                 "data"});
  const auto local = Stream::Kind::kUnix;
  all.push_back({"DescriptorAndFin", local,
                 [](OwnFd fd) {
                   test::SendAll(fd.get(), "da");
                   SendWithDescriptor(fd.get(), "t");
                   test::SendAll(fd.get(), "a");
                 },
                 "data"});
  return all;
}

// When it happens: the reader must get to the end in each case, and never wait for ever.
enum class When { kBeforeTheStream, kBeforeTheTurn, kWhileWaiting, kAfterTheNotice };

class PeerEnds : public testing::TestWithParam<std::tuple<Ending, When>> {
 protected:
  static test::Pair MakePair(Stream::Kind kind) {
    return kind == Stream::Kind::kTcp ? test::TcpPair() : test::UnixPair();
  }
};

TEST_P(PeerEnds, AndTheReaderReadsEverythingAndThenTheEnd) {
  const auto& [ending, when] = GetParam();
  StreamOn on(ending.kind);
  std::string before;
  if (when == When::kBeforeTheStream) {
    auto pair = MakePair(ending.kind);
    ending.act(std::move(pair.far));
    on.stream = on.seat.Adopt(std::move(pair.near), ending.kind);
  } else {
    if (when == When::kWhileWaiting) on.stream->SetAwait(Side::kRead, Await::kOnce);
    if (when != When::kBeforeTheTurn) on.seat.Turn();
    if (when == When::kAfterTheNotice) {
      before = "before ";
      ASSERT_TRUE(test::SendAll(on.far.get(), before));
      EXPECT_EQ(on.seat.WaitFor(on.stream, Side::kRead), kNoticeReadable);
    }
    ending.act(std::move(on.far));
  }
  const std::string all = on.ReadToEnd();
  EXPECT_TRUE(on.last == 0 || on.last == -ECONNRESET) << on.last;
  // A reset may overtake the bytes before it, and takes them from the reader then.
  if (on.last == 0) {
    EXPECT_EQ(all, before + ending.bytes);
  } else {
    EXPECT_EQ((before + ending.bytes).substr(0, all.size()), all);
  }
}

std::string NameOf(const testing::TestParamInfo<std::tuple<Ending, When>>& info) {
  static constexpr const char* kWhen[] = {"BeforeTheStream", "BeforeTheTurn", "WhileWaiting",
                                          "AfterTheNotice"};
  const auto& [ending, when] = info.param;
  const char* kind = ending.kind == Stream::Kind::kTcp ? "Tcp" : "Unix";
  return std::string(kind) + ending.name + kWhen[static_cast<int>(when)];
}

INSTANTIATE_TEST_SUITE_P(Endings, PeerEnds,
                         testing::Combine(testing::ValuesIn(Endings()),
                                          testing::Values(When::kBeforeTheStream,
                                                          When::kBeforeTheTurn, When::kWhileWaiting,
                                                          When::kAfterTheNotice)),
                         NameOf);

TEST(TcpStream, ReadsOnPastAnUrgentByteWithoutAnotherEdge) {
  StreamOn on(Stream::Kind::kTcp);
  ASSERT_TRUE(test::SendAll(on.far.get(), "before"));
  SendOutOfBand(on.far.get());
  ASSERT_TRUE(test::SendAll(on.far.get(), "behind"));
  EXPECT_EQ(on.ReadAtLeast(12), "beforebehind");
}

TEST(TcpStream, AHintOfMoreIsForgottenWithTheEagainThatFollows) {
  StreamOn on(Stream::Kind::kTcp);
  SendOutOfBand(on.far.get());
  on.seat.WaitFor(on.stream, Side::kRead);
  char p;
  EXPECT_EQ(on.Read(&p, 1), kAgain);
  ASSERT_TRUE(test::SendAll(on.far.get(), "text"));
  EXPECT_EQ(on.ReadSome(), "text");
  EXPECT_FALSE(on.stream->ready(Side::kRead));
}

TEST(UnixStream, ReadsOnPastMessagesWithDescriptorsAndKeepsNone) {
  StreamOn on(Stream::Kind::kUnix);
  ASSERT_TRUE(test::SendAll(on.far.get(), "one "));
  SendWithDescriptor(on.far.get(), "two ");
  SendWithDescriptor(on.far.get(), "three ");
  ASSERT_TRUE(test::SendAll(on.far.get(), "four"));
  EXPECT_EQ(on.ReadAtLeast(18), "one two three four");
}

TEST(PacketStream, ReadsOneMessageAtATime) {
  StreamOn on(Stream::Kind::kPackets);
  ASSERT_TRUE(test::SendAll(on.far.get(), "first"));
  ASSERT_TRUE(test::SendAll(on.far.get(), "second"));
  EXPECT_EQ(on.ReadSome(), "first");
  EXPECT_EQ(on.ReadSome(), "second");
  on.far.Reset();
  EXPECT_EQ(on.ReadSome(), "");
}

TEST(PacketStream, CutsAMessageToTheBufferAndDropsTheRest) {
  StreamOn on(Stream::Kind::kPackets);
  ASSERT_TRUE(test::SendAll(on.far.get(), "first"));
  ASSERT_TRUE(test::SendAll(on.far.get(), "second"));
  on.seat.WaitFor(on.stream, Side::kRead);
  char p[3];
  EXPECT_EQ(on.Read(p, sizeof(p)), 3);
  EXPECT_EQ(on.ReadSome(), "second");
}

TEST(Stream, KeepsThePeersAddressWhenTheKernelHasForgottenIt) {
  StreamOn on(Stream::Kind::kTcp);
  const SockAddr peer = sys::PeerAddr(on.stream->fd()).value();
  on.stream->SetPeer(peer);
  test::Reset(std::move(on.far));
  on.ReadToEnd();
  EXPECT_FALSE(sys::PeerAddr(on.stream->fd()).ok());
  EXPECT_EQ(on.stream->peer().Host(), "127.0.0.1");
  EXPECT_EQ(on.stream->peer().Port(), peer.Port());
}

// Those that make the system calls themselves say how they ended.
TEST(Stream, OthersReportThatTheirCallsBlocked) {
  StreamOn on(Stream::Kind::kUnix);
  ASSERT_TRUE(test::SendAll(on.far.get(), "x"));
  on.seat.WaitFor(on.stream, Side::kRead);
  EXPECT_EQ(test::ReceiveSome(on.stream->fd()), "x");
  on.stream->ReadBlocked();
  EXPECT_FALSE(on.stream->ready(Side::kRead));
  ASSERT_TRUE(test::SendAll(on.far.get(), "y"));
  EXPECT_EQ(on.seat.WaitFor(on.stream, Side::kRead), kNoticeReadable);

  const size_t filled = test::FillUp(on.stream->fd());
  EXPECT_TRUE(on.stream->WriteBlocked().ok());
  on.stream->SetAwait(Side::kWrite, Await::kOnce);
  EXPECT_EQ(test::DrainAtLeast(on.far.get(), filled), filled);
  EXPECT_EQ(on.seat.AwaitNotice(on.stream), kNoticeWritable);
}

TEST(TcpStream, APeekTakesNoEdge) {
  StreamOn on(Stream::Kind::kTcp);
  char p[16];
  EXPECT_EQ(on.stream->Peek(p, sizeof(p), Call::kNew), kAgain);
  ASSERT_TRUE(test::SendAll(on.far.get(), "12345"));
  ASSERT_NE(on.seat.WaitFor(on.stream, Side::kRead), 0u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(on.stream->Peek(p, 3, Call::kNew), 3);
  EXPECT_EQ(on.stream->Peek(p, sizeof(p), Call::kNew), 5);
  EXPECT_EQ(on.Read(p, sizeof(p)), 5);
  EXPECT_EQ(on.stream->Peek(p, sizeof(p), Call::kNew), kAgain);
  on.far.Reset();
  ASSERT_NE(on.seat.WaitFor(on.stream, Side::kRead), 0u);
  EXPECT_EQ(on.stream->Peek(p, sizeof(p), Call::kNew), 0);
}

TEST(Stream, IsNewAgainWhereWhatWasReadWasNotItsUse) {
  StreamOn on(Stream::Kind::kTcp);
  char p[16];
  ASSERT_TRUE(test::SendAll(on.far.get(), "1"));
  ASSERT_NE(on.seat.WaitFor(on.stream, Side::kRead), 0u);
  EXPECT_EQ(on.Read(p, sizeof(p)), 1);
  EXPECT_TRUE(on.stream->used());
  on.stream->MarkNew();
  EXPECT_FALSE(on.stream->used());
}

TEST(Stream, AwaitsTheNextEdgeThoughTheLastOneWasNotUsed) {
  StreamOn on(Stream::Kind::kTcp);
  ASSERT_TRUE(test::SendAll(on.far.get(), "1"));
  ASSERT_NE(on.seat.WaitFor(on.stream, Side::kRead), 0u);
  ASSERT_TRUE(on.stream->AwaitEdge(Side::kRead).ok());
  EXPECT_TRUE(on.seat.Turn().empty());
  ASSERT_TRUE(test::SendAll(on.far.get(), "2"));
  EXPECT_EQ(on.seat.AwaitNotice(on.stream), kNoticeReadable);
  ASSERT_TRUE(on.stream->AwaitEdge(Side::kRead).ok());
  on.stream->WakeUp(Side::kRead);
  EXPECT_EQ(on.seat.AwaitNotice(on.stream), kNoticeReadable);
  EXPECT_EQ(on.ReadAtLeast(2), "12");
}

// What a stream at rest says, or is told: once quiet, then whatever `disturb` does.
uint32_t ToldAtRest(StreamOn* on, const std::function<void()>& disturb) {
  EXPECT_EQ(on->stream->Rest(false), kAgain);
  EXPECT_TRUE(on->seat.Turn().empty());
  EXPECT_EQ(on->seat.reactor().alive(), 0);
  disturb();
  return on->seat.AwaitNotice(on->stream);
}

TEST_P(EveryKind, AtRestTellsOfBytesThatNobodyAskedFor) {
  EXPECT_EQ(ToldAtRest(this, [&] { EXPECT_TRUE(test::SendAll(far.get(), "x")); }), kNoticeReadable);
  EXPECT_EQ(stream->Rest(false), 1);
  EXPECT_EQ(ReadSome(), "x");
}

TEST_P(EveryKind, AtRestTellsOfThePeersEnd) {
  EXPECT_EQ(ToldAtRest(this, [&] { far.Reset(); }), kNoticeReadable);
  EXPECT_EQ(stream->Rest(false), 0);
}

TEST(TcpStream, AtRestTellsOfAReset) {
  StreamOn on(Stream::Kind::kTcp);
  EXPECT_EQ(ToldAtRest(&on, [&] { test::Reset(std::move(on.far)); }), kNoticeReadable);
  EXPECT_EQ(on.stream->Rest(false), -ECONNRESET);
}

TEST_P(EveryKind, IsQuietOnceItsBytesAreRead) {
  ASSERT_TRUE(test::SendAll(far.get(), "x"));
  EXPECT_EQ(ReadSome(), "x");
  EXPECT_EQ(stream->Rest(false), kAgain);
  EXPECT_EQ(Read(nullptr, 0), kAgain) << "and is as good as before";
}

TEST_P(EveryKind, ComesToRestOnlyAsAnotherUserCanTakeIt) {
  ASSERT_TRUE(stream->SetDeadline(Side::kWrite, 1));
  EXPECT_EQ(stream->Rest(false), kExpired);
  test::SetDeadlineAhead({stream}, Side::kRead, 5 * test::kMs);
  ASSERT_FALSE(stream->SetDeadline(Side::kWrite, kNever));
  while (stream->Rest(false) == kExpired)
    test::SetDeadlineAhead({stream}, Side::kRead, 50 * test::kMs);
  seat.Turn(50);
  EXPECT_FALSE(stream->Expired(Side::kRead)) << "no deadline is left to the next";
  ASSERT_TRUE(stream->Shutdown(ShutdownHow::kWrite).ok());
  EXPECT_EQ(stream->Rest(false), -EPIPE);
}

TEST(TcpStream, AFailedWriteIsRemembered) {
  StreamOn on(Stream::Kind::kTcp);
  test::Reset(std::move(on.far));
  int64_t sent = 0;
  while ((sent = on.stream->Write("x", 1, Call::kNew)) > 0) continue;
  EXPECT_LT(sent, 0);
  EXPECT_EQ(on.stream->Rest(false), -EPIPE);
}

TEST(TcpStream, AsksTheKernelWhereNoEventHasTold) {
  StreamOn on(Stream::Kind::kTcp);
  on.seat.Turn();
  ASSERT_TRUE(test::SendAll(on.far.get(), "x"));
  ASSERT_TRUE(test::AwaitReadable(on.stream->fd()));
  EXPECT_EQ(on.stream->Rest(false), kAgain);
  EXPECT_EQ(on.stream->Rest(true), 1);
}

TEST(Stream, StartsOnAnothersDescriptorOrLeavesItOpen) {
  test::Seat seat;
  auto pair = test::TcpPair();
  const int number = pair.near.get();
  const auto adopt = [&](OwnFd* fd) {
    auto* stream = seat.reactor().Adopt(
        std::make_unique<Stream>(&seat.reactor(), OwnFd(), Stream::Kind::kTcp));
    return std::pair(stream, stream->StartOn(fd));
  };
  const auto [first, started] = adopt(&pair.near);
  ASSERT_TRUE(started.ok());
  EXPECT_FALSE(pair.near);
  OwnFd same(number);
  const auto [second, refused] = adopt(&same);
  EXPECT_EQ(refused.error().number, EEXIST);
  EXPECT_EQ(same.Release(), number);
  seat.reactor().Close(second);
  // The registration of the first has outlived that.
  ASSERT_TRUE(test::SendAll(pair.far.get(), "x"));
  EXPECT_EQ(seat.WaitFor(first, Side::kRead), kNoticeReadable);
}

TEST(Stream, ThatMayLingerClosesWithoutWaiting) {
  auto pair = test::TcpPair();
  const size_t sent = test::FillUp(pair.near.get());
  ASSERT_TRUE(sys::SetLinger(pair.near.get(), 30).ok());
  {
    test::Seat seat;
    Stream* stream = seat.Adopt(std::move(pair.near), Stream::Kind::kTcp);
    stream->MarkMayLinger();
    const int64_t began = MonotonicNow();
    seat.reactor().Close(stream);
    EXPECT_LT(MonotonicNow() - began, 5'000 * test::kMs);
  }
  EXPECT_EQ(test::DrainAtLeast(pair.far.get(), sent), sent);
  EXPECT_EQ(test::ReceiveSome(pair.far.get()), "");
}

TEST(FifoStream, ReadsAndWritesOneEndOfAPipe) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
  test::Seat seat;
  Stream* reader = seat.Adopt(OwnFd(fds[0]), Stream::Kind::kFifo);
  Stream* writer = seat.Adopt(OwnFd(fds[1]), Stream::Kind::kFifo);
  char one[] = "one ";
  char two[] = "two";
  const iovec slices[] = {{one, 4}, {two, 3}};
  EXPECT_EQ(writer->WriteVector(slices, 2, Call::kNew), 4);  // the rest is for the next call
  EXPECT_EQ(writer->Write(two, 3, Call::kNew), 3);
  char p[16] = {};
  ASSERT_NE(seat.WaitFor(reader, Side::kRead), 0u);
  EXPECT_EQ(reader->Read(p, sizeof(p), Call::kResumed), 7);
  EXPECT_STREQ(p, "one two");
  EXPECT_EQ(reader->Read(p, sizeof(p), Call::kResumed), kAgain);
}

}  // namespace
}  // namespace spliceway
