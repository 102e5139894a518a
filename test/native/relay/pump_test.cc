#include "relay/pump.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "support/descriptors.h"
#include "support/pair.h"
#include "support/pattern.h"
#include "sys/fault.h"
#include "sys/io.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

using sys::fault::Script;
using Kind = Pump::Kind;
using Status = Pump::Status;

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;

std::vector<uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }

// As much of `bytes` from `at` on as the kernel takes now.
size_t Feed(int fd, const std::string& bytes, size_t at) {
  size_t sent = 0;
  while (at + sent < bytes.size()) {
    const ssize_t n = send(fd, bytes.data() + at + sent, bytes.size() - at - sent, MSG_NOSIGNAL);
    if (n < 0) break;
    sent += static_cast<size_t>(n);
  }
  return sent;
}

// What is there now.
std::string Drain(int fd) {
  std::string got;
  char p[64 * kKiB];
  for (;;) {
    const ssize_t n = recv(fd, p, sizeof(p), 0);
    if (n <= 0) return got;
    got.append(p, static_cast<size_t>(n));
  }
}

// A file without a name, in the state that std::tmpfile leaves it in.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content = "") : file_(std::tmpfile()) {
    EXPECT_EQ(write(fd(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    EXPECT_EQ(lseek(fd(), 0, SEEK_SET), 0);
  }
  ~TemporaryFile() { std::fclose(file_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int fd() const { return fileno(file_); }
  std::string content() const {
    std::string all(static_cast<size_t>(lseek(fd(), 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
    return all;
  }

 private:
  std::FILE* file_;
};

enum class Net { kTcp, kUnix };

test::Pair NewPair(Net net) { return net == Net::kTcp ? test::TcpPair() : test::UnixPair(); }

// writer ⇄ source ─pump→ sink ⇄ reader
class PumpOn {
 public:
  explicit PumpOn(Net net = Net::kTcp, size_t budget = SIZE_MAX) : budget_(budget) {
    auto from = NewPair(net);
    auto to = NewPair(net);
    writer = std::move(from.far);
    source = std::move(from.near);
    sink = std::move(to.near);
    reader = std::move(to.far);
  }

  Status Run() { return pump->Run(source.get(), sink.get()); }
  // Runs it until it says so; what comes out meanwhile goes into `out`.
  void RunUntil(Status wanted) {
    for (int i = 0; i < 100'000; ++i) {
      const Status status = Run();
      out += Drain(reader.get());
      if (status == wanted) return;
      ASSERT_TRUE(status == Status::kMore || status == Status::kSinkFull) << int(status);
    }
    FAIL() << "it never came to that";
  }
  // Passes all of it on, and the FIN behind it.
  void Forward(const std::string& bytes) {
    size_t fed = 0;
    for (int i = 0; i < 100'000; ++i) {
      fed += Feed(writer.get(), bytes, fed);
      if (fed == bytes.size()) shutdown(writer.get(), SHUT_WR);
      last = Run();
      out += Drain(reader.get());
      if (last != Status::kMore && last != Status::kSourceEmpty && last != Status::kSinkFull) break;
    }
    for (int i = 0; i < 100 && out.size() < pump->delivered(); ++i) {
      if (test::Await(reader.get(), POLLIN, 100)) out += Drain(reader.get());
    }
  }

  OwnFd writer, source, sink, reader;
  std::string out;
  Status last = Status::kMore;
  PipeBudget budget_;
  PipeCache pipes{&budget_};
  std::unique_ptr<Pump> pump = std::make_unique<Pump>(&pipes, Kind::kSocket, Kind::kSocket);
};

// What may go wrong on the way, and must not show.
struct Trouble {
  const char* name;
  std::function<void(PumpOn&, Script&)> arrange;
  size_t budget = SIZE_MAX;
};

// Puts one pipe into the cache, which the pump will get; the end that it is drained from.
int KnownPipe(PumpOn& on, int size = PipeCache::kPipeSize) {
  sys::PipeFds pipe = std::move(sys::OpenPipe(PipeCache::kPipeSize).value());
  pipe.capacity = static_cast<size_t>(fcntl(pipe.write_end.get(), F_SETPIPE_SZ, size));
  const int end = pipe.read_end.get();
  on.pipes.Return(std::move(pipe));
  return end;
}

const Trouble kTroubles[] = {
    {"Nothing", [](PumpOn&, Script&) {}},
    {"TinyPipe", [](PumpOn& on, Script&) { KnownPipe(on, 4096); }},
    {"NoSplice", [](PumpOn&, Script& s) { s.On(sys::fault::kSplice).Then(EINVAL); }},
    {"SpliceFromSourceIsRefusedWithBytesInThePipe",
     [](PumpOn& on, Script& s) {
       s.On(sys::fault::kSplice, on.source.get()).ShortenTo(1000).Then(ENOSYS);
     }},
    {"SpliceToSinkIsRefused",
     [](PumpOn& on, Script& s) { s.On(sys::fault::kSplice, KnownPipe(on)).Then(EINVAL); }},
    {"SpliceToSinkIsRefusedHalfway",
     [](PumpOn& on, Script& s) {
       s.On(sys::fault::kSplice, KnownPipe(on)).ShortenTo(100).Then(EOPNOTSUPP);
     }},
    {"ShortSplices",
     [](PumpOn& on, Script& s) {
       s.On(sys::fault::kSplice, on.source.get()).ShortenTo(1).ShortenTo(4097).ShortenTo(3);
       s.On(sys::fault::kSplice).ShortenTo(1).ShortenTo(2).ShortenTo(5000);
     }},
    {"SpliceSaysAgain",
     [](PumpOn& on, Script& s) {
       s.On(sys::fault::kSplice, on.source.get()).Then(EAGAIN).Pass().Then(EAGAIN, 2);
       s.On(sys::fault::kSplice).Then(EAGAIN, 2).Pass().Then(EAGAIN);
     }},
    {"SpliceIsInterrupted",
     [](PumpOn&, Script& s) { s.On(sys::fault::kSplice).Then(EINTR, 3).Pass().Then(EINTR); }},
    {"ShortReads",
     [](PumpOn&, Script& s) { s.On(sys::fault::kRecv).ShortenTo(1).ShortenTo(16383); }},
    {"ReadsSayAgain", [](PumpOn&, Script& s) { s.On(sys::fault::kRecv).Then(EAGAIN).Then(EINTR); }},
    {"ShortWrites",
     [](PumpOn&, Script& s) { s.On(sys::fault::kSend).ShortenTo(1).ShortenTo(7).Then(EINTR); }},
    {"WritesSayAgain",
     [](PumpOn&, Script& s) {
       s.On(sys::fault::kSend).Then(EAGAIN).ShortenTo(10).Then(EAGAIN, 3).ShortenTo(1);
     }},
    {"NoPipeToBeHad", [](PumpOn&, Script& s) { s.On(sys::fault::kPipe).Then(EMFILE, 2); }},
    {"BudgetExhausted", [](PumpOn&, Script&) {}, 0},
    {"BudgetForASmallPipe", [](PumpOn&, Script&) {}, PipeCache::kSmallest * 2},
};

class InTrouble : public testing::TestWithParam<std::tuple<Net, Trouble>> {};
std::string NameOf(const testing::TestParamInfo<std::tuple<Net, Trouble>>& test) {
  const auto& [net, trouble] = test.param;
  return std::string(net == Net::kTcp ? "Tcp" : "Unix") + trouble.name;
}
INSTANTIATE_TEST_SUITE_P(Pump, InTrouble,
                         testing::Combine(testing::Values(Net::kTcp, Net::kUnix),
                                          testing::ValuesIn(kTroubles)),
                         NameOf);

TEST_P(InTrouble, EveryByteArrivesOnceAndInOrder) {
  const auto& [net, trouble] = GetParam();
  PumpOn on(net, trouble.budget);
  const std::string all = test::Pattern(3 * kMiB + 17);
  {
    Script script;
    trouble.arrange(on, script);
    on.Forward(all);
    EXPECT_TRUE(script.done());
  }
  EXPECT_EQ(on.last, Status::kEnd);
  EXPECT_EQ(on.pump->taken(), all.size());
  EXPECT_EQ(on.pump->delivered(), all.size());
  EXPECT_FALSE(on.pump->limited());
  EXPECT_TRUE(on.out == all);
}

TEST_P(InTrouble, ALimitLeavesTheRestInTheSource) {
  const auto& [net, trouble] = GetParam();
  PumpOn on(net, trouble.budget);
  const std::string all = test::Pattern(3 * kMiB);
  constexpr size_t kLimit = 2 * kMiB + 12345;
  on.pump->SetLimit(kLimit);
  size_t fed = 0;
  {
    Script script;
    trouble.arrange(on, script);
    do {
      fed += Feed(on.writer.get(), all, fed);
      on.last = on.Run();
      on.out += Drain(on.reader.get());
    } while (on.last != Status::kEnd && on.last < Status::kSourceFailed);
    EXPECT_TRUE(script.done());
  }
  EXPECT_EQ(on.last, Status::kEnd);
  EXPECT_TRUE(on.pump->limited());
  EXPECT_EQ(on.pump->delivered(), kLimit);
  while (on.out.size() < kLimit && test::AwaitReadable(on.reader.get())) {
    on.out += Drain(on.reader.get());
  }
  EXPECT_TRUE(on.out == all.substr(0, kLimit));
  std::string rest;
  while (kLimit + rest.size() < all.size()) {
    fed += Feed(on.writer.get(), all, fed);
    ASSERT_TRUE(test::AwaitReadable(on.source.get()));
    rest += Drain(on.source.get());
  }
  EXPECT_TRUE(rest == all.substr(kLimit));
}

TEST_P(InTrouble, AQuietPumpHoldsNoPipe) {
  const auto& [net, trouble] = GetParam();
  PumpOn on(net, trouble.budget);
  const auto before = test::OpenDescriptors();
  {
    Script script;
    trouble.arrange(on, script);
    const std::string all = test::Pattern(2 * kMiB);
    for (size_t fed = 0; fed < all.size() || on.out.size() < all.size();) {
      fed += Feed(on.writer.get(), all, fed);
      on.RunUntil(Status::kSourceEmpty);
      if (HasFatalFailure()) return;
      if (fed == all.size() && on.pump->delivered() < fed) test::AwaitReadable(on.source.get());
    }
    EXPECT_TRUE(script.done());
    EXPECT_TRUE(on.out == all);
  }
  EXPECT_LE(test::OpenDescriptors().size(), before.size() + 2 * on.pipes.idle());
}

TEST(Pump, CopiesWhatIsSmallWithoutAPipe) {
  PumpOn on;
  ASSERT_TRUE(test::SendAll(on.writer.get(), "message"));
  ASSERT_TRUE(test::AwaitReadable(on.source.get()));
  Script script;
  script.On(sys::fault::kPipe).Then(EMFILE);
  EXPECT_EQ(on.Run(), Status::kSourceEmpty);
  EXPECT_FALSE(script.done());
  EXPECT_EQ(test::ReceiveSome(on.reader.get()), "message");
}

TEST(Pump, SplicesWhatIsMuchThroughAPipeThatItGivesBack) {
  PumpOn on(Net::kUnix);
  EXPECT_EQ(on.pipes.idle(), 0u);
  on.Forward(test::Pattern(1 * kMiB));
  EXPECT_EQ(on.last, Status::kEnd);
  EXPECT_EQ(on.pipes.idle(), 1u);
}

TEST(Pump, OthersHaveTheirTurnAfterSomeRounds) {
  PumpOn on;
  Script script;
  script.On(sys::fault::kRecv).ShortenTo(1).ShortenTo(1).ShortenTo(1).ShortenTo(1);
  for (int i = 0; i < 12; ++i) script.On(sys::fault::kRecv).ShortenTo(1);
  ASSERT_TRUE(test::SendAll(on.writer.get(), "seventeen letters"));
  ASSERT_TRUE(test::AwaitReadable(on.source.get()));
  EXPECT_EQ(on.Run(), Status::kMore);
  EXPECT_EQ(on.pump->delivered(), 16u);
  EXPECT_EQ(on.Run(), Status::kSourceEmpty);
  EXPECT_EQ(on.pump->delivered(), 17u);
}

TEST(Pump, IsHeldAtItsAllowanceAndGoesOnWhenThatIsRaised) {
  PumpOn on;
  on.pump->Allow(0);
  ASSERT_TRUE(test::SendAll(on.writer.get(), "0123456789"));
  ASSERT_TRUE(test::AwaitReadable(on.source.get()));
  EXPECT_EQ(on.Run(), Status::kHeld);
  on.pump->Allow(4);
  EXPECT_EQ(on.Run(), Status::kHeld);
  EXPECT_EQ(test::ReceiveSome(on.reader.get()), "0123");
  on.pump->Allow(UINT64_MAX);
  on.pump->SetLimit(10);
  EXPECT_EQ(on.Run(), Status::kEnd);
  EXPECT_EQ(test::ReceiveSome(on.reader.get()), "456789");
}

TEST(Pump, HoldsNoPipeWhileItIsHeld) {
  PumpOn on(Net::kUnix);
  const std::string all = test::Pattern(150 * kKiB);
  ASSERT_EQ(Feed(on.writer.get(), all, 0), all.size());
  on.pump->Allow(100 * kKiB);
  on.RunUntil(Status::kHeld);
  EXPECT_EQ(on.pump->delivered(), 100 * kKiB);
  EXPECT_EQ(on.pipes.idle(), 1u);
  on.pump->Allow(all.size() + 1);
  on.RunUntil(Status::kSourceEmpty);
  EXPECT_TRUE(on.out == all);
}

TEST(Pump, SendsWhatWasPutFirstAndLastAroundTheSourcesBytes) {
  PumpOn on;
  on.pump->PutFirst(Bytes("first "));
  on.pump->PutLast(Bytes(" last"));
  EXPECT_EQ(on.pump->taken(), 6u);
  on.Forward("middle");
  EXPECT_EQ(on.last, Status::kEnd);
  EXPECT_EQ(on.out, "first middle last");
  EXPECT_EQ(on.pump->delivered(), on.out.size());
}

TEST(Pump, WhatWasPutFirstCountsForTheLimit) {
  PumpOn on;
  on.pump->PutFirst(Bytes("12345"));
  on.pump->SetLimit(7);
  ASSERT_TRUE(test::SendAll(on.writer.get(), "6789"));
  ASSERT_TRUE(test::AwaitReadable(on.source.get()));
  EXPECT_EQ(on.Run(), Status::kEnd);
  EXPECT_EQ(test::ReceiveSome(on.reader.get()), "1234567");
  EXPECT_EQ(Drain(on.source.get()), "89");
}

TEST(Pump, WithoutRoomWhatWasPutFirstWaitsAndTheSourceIsNotTouched) {
  PumpOn on(Net::kUnix);
  const size_t full = test::FillUp(on.sink.get());
  on.pump->PutFirst(Bytes("first"));
  ASSERT_TRUE(test::SendAll(on.writer.get(), "second"));
  EXPECT_EQ(on.Run(), Status::kSinkFull);
  EXPECT_EQ(on.pump->taken(), 5u);
  EXPECT_EQ(test::DrainAtLeast(on.reader.get(), full), full);
  EXPECT_EQ(on.Run(), Status::kSourceEmpty);
  EXPECT_EQ(Drain(on.reader.get()), "firstsecond");
}

TEST(Pump, DrainsWhatItHasTakenAndTakesNoMore) {
  for (const size_t size : {10 * kKiB, 150 * kKiB}) {  // copied, spliced
    PumpOn on(Net::kUnix);
    const std::string all = test::Pattern(size);
    const size_t full = test::FillUp(on.sink.get());
    if (size > 16 * kKiB) {  // in bulk from its first run on
      EXPECT_EQ(test::DrainAtLeast(on.reader.get(), full), full);
      ASSERT_EQ(Feed(on.writer.get(), all, 0), size);
      on.RunUntil(Status::kSourceEmpty);
      on.out.clear();
      test::FillUp(on.sink.get());
    }
    ASSERT_EQ(Feed(on.writer.get(), all, 0), size);
    EXPECT_EQ(on.Run(), Status::kSinkFull);
    const uint64_t taken = on.pump->taken();
    EXPECT_GT(taken, on.pump->delivered());
    ASSERT_TRUE(test::SendAll(on.writer.get(), "more"));
    EXPECT_EQ(on.pump->Drain(on.sink.get()), Status::kSinkFull);
    while (on.pump->Drain(on.sink.get())) on.out += Drain(on.reader.get());
    EXPECT_EQ(on.pump->taken(), taken);
    EXPECT_EQ(on.pump->delivered(), taken);
    on.RunUntil(Status::kSourceEmpty);
    EXPECT_TRUE(on.out.ends_with(all + "more"));
  }
}

TEST(Pump, ASourceThatIsResetFailsAfterWhatItGave) {
  PumpOn on;
  ASSERT_TRUE(test::SendAll(on.writer.get(), "last words"));
  ASSERT_TRUE(test::AwaitReadable(on.source.get()));
  EXPECT_EQ(on.Run(), Status::kSourceEmpty);
  test::Reset(std::move(on.writer));
  ASSERT_TRUE(test::AwaitReadable(on.source.get()));
  EXPECT_EQ(on.Run(), Status::kSourceFailed);
  EXPECT_EQ(on.pump->error(), ECONNRESET);
  EXPECT_EQ(test::ReceiveSome(on.reader.get()), "last words");
}

// Whichever call meets it.
TEST(Pump, ASourceThatFailsInBulkFailsAfterWhatItGave) {
  PumpOn on(Net::kUnix);
  const std::string all = test::Pattern(150 * kKiB);
  ASSERT_EQ(Feed(on.writer.get(), all, 0), all.size());
  Script script;
  script.On(sys::fault::kSplice, on.source.get()).ShortenTo(70'000).Then(ECONNRESET);
  on.RunUntil(Status::kSourceFailed);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(on.pump->error(), ECONNRESET);
  EXPECT_EQ(on.pump->delivered(), 70'000 + 16 * kKiB);
  EXPECT_TRUE(on.out == all.substr(0, on.out.size()));
  EXPECT_EQ(on.out.size(), on.pump->delivered());
  EXPECT_EQ(on.pipes.idle(), 1u);
}

TEST(Pump, ASinkThatIsResetFailsIt) {
  PumpOn on;
  test::Reset(std::move(on.reader));
  ASSERT_TRUE(test::AwaitReadable(on.sink.get()));
  ASSERT_TRUE(test::SendAll(on.writer.get(), "too late"));
  ASSERT_TRUE(test::AwaitReadable(on.source.get()));
  EXPECT_EQ(on.Run(), Status::kSinkFailed);
  EXPECT_EQ(on.pump->error(), ECONNRESET);
  EXPECT_EQ(on.pump->delivered(), 0u);
}

// A pipe with bytes left in it must not reach another pump.
TEST(Pump, ASinkThatFailsInBulkCostsThePipe) {
  PumpOn on(Net::kUnix);
  const int end = KnownPipe(on);
  ASSERT_EQ(Feed(on.writer.get(), test::Pattern(150 * kKiB), 0), 150 * kKiB);
  Script script;
  script.On(sys::fault::kSplice, end).ShortenTo(5).Then(EPIPE);
  EXPECT_EQ(on.Run(), Status::kSinkFailed);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(on.pump->error(), EPIPE);
  EXPECT_EQ(on.pump->delivered(), 16 * kKiB + 5);
  on.pump.reset();
  EXPECT_EQ(on.pipes.idle(), 0u);
}

TEST(Pump, PassesAnUrgentMarkInBulk) {
  for (const bool then_fin : {false, true}) {
    PumpOn on;
    const std::string all = test::Pattern(100 * kKiB);
    ASSERT_TRUE(test::SendAll(on.writer.get(), all));
    while (on.out.size() < all.size()) on.RunUntil(Status::kSourceEmpty);
    ASSERT_EQ(send(on.writer.get(), "!", 1, MSG_OOB), 1);
    ASSERT_TRUE(test::SendAll(on.writer.get(), "behind"));
    if (then_fin) shutdown(on.writer.get(), SHUT_WR);
    const Status wanted = then_fin ? Status::kEnd : Status::kSourceEmpty;
    const auto passed = [&] { return on.out.size() == all.size() + 6; };
    do {
      ASSERT_TRUE(test::AwaitReadable(on.source.get()));
      on.RunUntil(wanted);
      if (HasFatalFailure()) return;
    } while (!passed() && test::Await(on.reader.get(), POLLIN, 100));
    EXPECT_TRUE(on.out == all + "behind");
  }
}

class OfAFile : public testing::TestWithParam<bool> {
 protected:
  // sendfile, or reading and writing where that is refused.
  void Arrange(Script& script) {
    if (!GetParam()) script.On(sys::fault::kSendfile).Then(EINVAL);
  }
  void RunFrom(const TemporaryFile& file) {
    do {
      last = pump.Run(file.fd(), pair.near.get());
      out += Drain(pair.far.get());
    } while (last == Status::kMore || last == Status::kSinkFull);
  }

  test::Pair pair = test::UnixPair();
  PipeCache pipes;
  Pump pump{&pipes, Kind::kFile, Kind::kSocket};
  std::string out;
  Status last = Status::kMore;
};
INSTANTIATE_TEST_SUITE_P(Pump, OfAFile, testing::Bool(),
                         [](const auto& test) { return test.param ? "BySendfile" : "ByReading"; });

TEST_P(OfAFile, AllOfItArrives) {
  const std::string all = test::Pattern(3 * kMiB);
  const TemporaryFile file(all);
  Script script;
  Arrange(script);
  RunFrom(file);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(last, Status::kEnd);
  EXPECT_TRUE(out == all);
  EXPECT_EQ(lseek(file.fd(), 0, SEEK_CUR), static_cast<off_t>(all.size()));
}

TEST_P(OfAFile, APartOfItLeavesItsPositionAlone) {
  const std::string all = test::Pattern(1 * kMiB);
  const TemporaryFile file(all);
  ASSERT_EQ(lseek(file.fd(), 5, SEEK_SET), 5);
  Script script;
  Arrange(script);
  pump.PutFirst(Bytes("<"));
  pump.PutLast(Bytes(">"));
  pump.SetOffset(1000);
  pump.SetLimit(1 + 700'000);
  RunFrom(file);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(last, Status::kEnd);
  EXPECT_TRUE(pump.limited());
  EXPECT_TRUE(out == "<" + all.substr(1000, 700'000) + ">");
  EXPECT_EQ(lseek(file.fd(), 0, SEEK_CUR), 5);
}

TEST_P(OfAFile, WhatIsLastStaysAwayWhereTheFileIsTooShort) {
  const TemporaryFile file("short");
  Script script;
  Arrange(script);
  pump.PutFirst(Bytes("<"));
  pump.PutLast(Bytes(">"));
  pump.SetLimit(1 + 100);
  RunFrom(file);
  EXPECT_TRUE(script.done());
  EXPECT_EQ(last, Status::kEnd);
  EXPECT_FALSE(pump.limited());
  EXPECT_EQ(out, "<short");
}

TEST_P(OfAFile, NothingOfItIsStillWhatIsFirstAndLast) {
  const TemporaryFile file("content");
  pump.PutFirst(Bytes("<"));
  pump.PutLast(Bytes(">"));
  pump.SetLimit(1);
  RunFrom(file);
  EXPECT_EQ(out, "<>");
  const TemporaryFile empty;
  Pump none(&pipes, Kind::kFile, Kind::kSocket);
  none.PutLast(Bytes("last"));
  EXPECT_EQ(none.Run(empty.fd(), pair.near.get()), Status::kEnd);
  EXPECT_EQ(Drain(pair.far.get()), "last");
}

TEST_P(OfAFile, AFullSinkIsWaitedFor) {
  const std::string all = test::Pattern(100 * kKiB);
  const TemporaryFile file(all);
  Script script;
  if (GetParam()) {
    script.On(sys::fault::kSendfile).Then(EAGAIN).ShortenTo(10).Then(EAGAIN).Then(EINTR);
  } else {
    script.On(sys::fault::kSendfile).Then(ENOSYS);
    script.On(sys::fault::kSend).Then(EAGAIN).ShortenTo(10).Then(EAGAIN).Then(EINTR);
  }
  EXPECT_EQ(pump.Run(file.fd(), pair.near.get()), Status::kSinkFull);
  RunFrom(file);
  EXPECT_TRUE(script.done());
  EXPECT_TRUE(out == all);
}

TEST(PumpToAFile, WritesBySpliceOrWhereThatIsRefusedByCopying) {
  for (const bool appending : {false, true}) {
    const std::string all = test::Pattern(1 * kMiB);
    TemporaryFile file("");
    ASSERT_EQ(fcntl(file.fd(), F_SETFL, appending ? O_APPEND : 0), 0);
    auto pair = test::UnixPair();
    PipeCache pipes;
    Pump pump(&pipes, Kind::kSocket, Kind::kFile);
    Script script;
    script.On(sys::fault::kWrite).ShortenTo(3).Then(EINTR);
    size_t fed = 0;
    Status last;
    do {
      fed += Feed(pair.far.get(), all, fed);
      if (fed == all.size()) shutdown(pair.far.get(), SHUT_WR);
      last = pump.Run(pair.near.get(), file.fd());
    } while (last == Status::kMore || last == Status::kSourceEmpty);
    EXPECT_TRUE(script.done());
    EXPECT_EQ(last, Status::kEnd);
    EXPECT_TRUE(file.content() == all);
  }
}

TEST(PumpToAFile, ADiskThatIsFullFailsIt) {
  TemporaryFile file;
  auto pair = test::UnixPair();
  PipeCache pipes;
  Pump pump(&pipes, Kind::kSocket, Kind::kFile);
  ASSERT_TRUE(test::SendAll(pair.far.get(), "text"));
  Script script;
  script.On(sys::fault::kWrite).ShortenTo(1).Then(ENOSPC);
  EXPECT_EQ(pump.Run(pair.near.get(), file.fd()), Status::kSinkFailed);
  EXPECT_EQ(pump.error(), ENOSPC);
  EXPECT_EQ(pump.delivered(), 1u);
}

}  // namespace
}  // namespace spliceway
