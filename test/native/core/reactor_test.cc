#include "core/reactor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "support/descriptors.h"
#include "support/pair.h"
#include "support/seat.h"

namespace spliceway {
namespace {

using test::kMs;
using test::Seat;
using test::Told;

// Streams on Unix pairs: what one end sends is there at once, so turns can be counted.
struct Peered {
  Stream* stream;
  OwnFd far;
};

Peered Open(Seat* seat) {
  auto pair = test::UnixPair();
  return {seat->Adopt(std::move(pair.near), Stream::Kind::kUnix), std::move(pair.far)};
}

std::vector<Peered> OpenReady(Seat* seat, int count) {
  std::vector<Peered> out;
  for (int i = 0; i < count; ++i) {
    out.push_back(Open(seat));
    out.back().stream->SetAwait(Side::kRead, Await::kAlways);
    EXPECT_TRUE(test::SendAll(out.back().far.get(), "x"));
  }
  return out;
}

// An owner in C++ that does something each time it is told.
class Doing : public Watcher {
 public:
  explicit Doing(std::function<void(Pollable&, uint32_t)> what) : what_(std::move(what)) {}
  void OnNotice(Pollable& pollable, uint32_t notice) override {
    ++count;
    if (what_) what_(pollable, notice);
  }
  int count = 0;

 private:
  std::function<void(Pollable&, uint32_t)> what_;
};

void WaitUntil(int64_t monotonic_ns) {
  while (MonotonicNow() < monotonic_ns) std::this_thread::yield();
}

TEST(Reactor, HasNothingToDoAtFirst) {
  Seat seat;
  EXPECT_FALSE(seat.reactor().has_work());
  EXPECT_TRUE(seat.Turn().empty());
  EXPECT_EQ(seat.reactor().size(), 0u);
  EXPECT_EQ(seat.reactor().alive(), 0);
  EXPECT_FALSE(test::IsReadable(seat.reactor().fd()));
}

TEST(Reactor, TellsNobodyWhoDoesNotAwait) {
  Seat seat;
  const auto peered = Open(&seat);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_TRUE(seat.Turn().empty());
  EXPECT_TRUE(peered.stream->ready(Side::kRead)) << "it keeps the fact";
}

TEST(Reactor, ATurnTellsNoMoreThanThereAreRecordsFor) {
  Seat seat(4);
  const auto peered = OpenReady(&seat, 10);
  std::vector<int32_t> told;
  for (const size_t expected : {4u, 4u, 2u}) {
    const auto turn = seat.Turn();
    EXPECT_EQ(turn.size(), expected);
    EXPECT_EQ(seat.reactor().has_work(), told.size() + turn.size() < 10);
    for (const Told& t : turn) told.push_back(t.id);
  }
  std::sort(told.begin(), told.end());
  EXPECT_TRUE(std::adjacent_find(told.begin(), told.end()) == told.end()) << "each once";
  EXPECT_EQ(told.size(), 10u);
  EXPECT_TRUE(seat.Turn().empty());
}

TEST(Reactor, LeftoversToo) {
  Seat seat(4);
  const auto peered = OpenReady(&seat, 10);
  while (!seat.Turn().empty()) {
  }
  for (const auto& p : peered) p.stream->SetAwait(Side::kRead, Await::kOnce);
  for (const size_t expected : {4u, 4u, 2u, 0u}) EXPECT_EQ(seat.Turn().size(), expected);
}

TEST(Reactor, AwaitingWhatIsReadyAlreadyIsToldInTheNextTurn) {
  Seat seat;
  const auto peered = Open(&seat);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_TRUE(seat.Turn().empty());
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  EXPECT_TRUE(seat.reactor().has_work());
  EXPECT_EQ(seat.Turn(), (std::vector<Told>{{peered.stream->id(), kNoticeReadable}}));
  EXPECT_FALSE(seat.reactor().has_work());
}

TEST(Reactor, AwaitingItAgainBeforeThatIsStillToldOnce) {
  Seat seat;
  const auto peered = Open(&seat);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  seat.Turn();
  for (int i = 0; i < 3; ++i) peered.stream->SetAwait(Side::kRead, Await::kAlways);
  EXPECT_EQ(seat.Turn().size(), 1u);
}

TEST(Reactor, AwaitOnceIsToldOnce) {
  Seat seat;
  const auto peered = Open(&seat);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_EQ(seat.Turn().size(), 1u);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_TRUE(seat.Turn().empty());
}

TEST(Reactor, AwaitAlwaysIsToldAtEachEdge) {
  Seat seat;
  const auto peered = Open(&seat);
  peered.stream->SetAwait(Side::kRead, Await::kAlways);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
    EXPECT_EQ(seat.Turn().size(), 1u);
    EXPECT_TRUE(seat.Turn().empty());
  }
  peered.stream->SetAwait(Side::kRead, Await::kNothing);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_TRUE(seat.Turn().empty());
}

TEST(Reactor, BothDirectionsComeInOneNotice) {
  Seat seat;
  const auto peered = Open(&seat);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  seat.Turn();
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  peered.stream->SetAwait(Side::kWrite, Await::kOnce);
  EXPECT_EQ(seat.Turn(),
            (std::vector<Told>{{peered.stream->id(), kNoticeReadable | kNoticeWritable}}));
}

TEST(Reactor, AHandleClosedWhileItsNoticeWaitsIsNotTold) {
  Seat seat;
  const auto peered = Open(&seat);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  seat.Turn();
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  seat.reactor().Close(peered.stream);
  EXPECT_TRUE(seat.Turn().empty());
  EXPECT_FALSE(seat.reactor().has_work());
}

TEST(Reactor, ClosedHandlesAreNotFoundAndTheirDescriptorsAreClosed) {
  Seat seat;
  const auto peered = Open(&seat);
  const int32_t id = peered.stream->id();
  EXPECT_EQ(seat.reactor().Find(id), peered.stream);
  EXPECT_EQ(seat.reactor().size(), 1u);
  seat.reactor().Close(peered.stream);
  EXPECT_EQ(seat.reactor().Find(id), nullptr);
  EXPECT_EQ(seat.reactor().size(), 0u);
  EXPECT_EQ(test::ReceiveSome(peered.far.get()), "");
}

TEST(Reactor, AHandleMayBeClosedByItsOwnNotice) {
  Seat seat;
  const auto peered = Open(&seat);
  Doing closes([&](Pollable& p, uint32_t) { seat.reactor().Close(&p); });
  peered.stream->SetWatcher(&closes);
  peered.stream->SetAwait(Side::kRead, Await::kAlways);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_TRUE(seat.Turn().empty()) << "a watcher hears it in place of the records";
  EXPECT_EQ(closes.count, 1);
  EXPECT_EQ(seat.reactor().size(), 0u);
}

TEST(Reactor, AHandleClosedDuringATurnLivesUntilItsEnd) {
  class Tracked : public Stream {
   public:
    Tracked(Reactor* reactor, OwnFd fd, bool* gone)
        : Stream(reactor, std::move(fd), Kind::kUnix), gone_(gone) {}
    ~Tracked() override { *gone_ = true; }

   private:
    bool* gone_;
  };
  Seat seat;
  bool gone = false;
  auto pair = test::UnixPair();
  auto* stream =
      seat.reactor().Adopt(std::make_unique<Tracked>(&seat.reactor(), std::move(pair.near), &gone));
  ASSERT_TRUE(stream->Start().ok());
  Doing closes([&](Pollable& p, uint32_t) {
    seat.reactor().Close(&p);
    EXPECT_FALSE(gone) << "its own call is on the stack";
  });
  stream->SetWatcher(&closes);
  stream->SetAwait(Side::kWrite, Await::kOnce);
  seat.Turn();
  EXPECT_EQ(closes.count, 1);
  EXPECT_TRUE(gone);
}

// All are in one batch of events: the first to be told closes the others and opens new ones in
// their slots, which must not get the events of their predecessors.
TEST(Reactor, EventsOfHandlesClosedInTheSameBatchReachNobody) {
  Seat seat;
  auto peered = OpenReady(&seat, 3);
  std::vector<Peered> later;
  Doing replaces([&](Pollable& told, uint32_t) {
    for (const auto& p : peered) {
      if (p.stream != &told) seat.reactor().Close(p.stream);
    }
    for (int i = 0; i < 2; ++i) {
      later.push_back(Open(&seat));
      later.back().stream->SetAwait(Side::kRead, Await::kAlways);
    }
  });
  for (const auto& p : peered) p.stream->SetWatcher(&replaces);
  EXPECT_TRUE(seat.Turn().empty());
  EXPECT_EQ(replaces.count, 1);
  EXPECT_TRUE(seat.Turn().empty());
  ASSERT_TRUE(test::SendAll(later[0].far.get(), "x"));
  EXPECT_EQ(seat.Turn(), (std::vector<Told>{{later[0].stream->id(), kNoticeReadable}}));
}

TEST(Reactor, WhatALeftoverQueuesIsForTheNextTurn) {
  Seat seat;
  const auto peered = Open(&seat);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  seat.Turn();
  Doing again([](Pollable& p, uint32_t) { p.SetAwait(Side::kRead, Await::kOnce); });
  peered.stream->SetWatcher(&again);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  for (int turn = 1; turn <= 5; ++turn) {
    seat.Turn();
    EXPECT_EQ(again.count, turn) << "one pass a turn, or it would never end";
    EXPECT_TRUE(seat.reactor().has_work());
  }
}

TEST(Reactor, DetachGivesTheDescriptorUpAlive) {
  Seat seat;
  const auto peered = Open(&seat);
  peered.stream->MarkShared();
  const int32_t id = peered.stream->id();
  const OwnFd fd = seat.reactor().Detach(peered.stream);
  EXPECT_EQ(seat.reactor().Find(id), nullptr);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_TRUE(seat.Turn().empty());
  EXPECT_FALSE(test::IsReadable(seat.reactor().fd())) << "it is out of the poller";
  EXPECT_EQ(test::ReceiveSome(fd.get()), "x");
}

TEST(Reactor, ADetachedDescriptorCanBeAdoptedByAnotherAndLosesNoEvent) {
  Seat from, to;
  const auto peered = Open(&from);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  from.Turn();  // its edge is spent here
  peered.stream->MarkShared();
  Stream* moved = to.Adopt(from.reactor().Detach(peered.stream), Stream::Kind::kUnix);
  EXPECT_EQ(to.WaitFor(moved, Side::kRead), kNoticeReadable);
}

TEST(Reactor, AClosedHandleWithADuplicateElsewhereIsOutOfThePoller) {
  Seat seat;
  const auto peered = Open(&seat);
  const OwnFd copy = std::move(sys::Duplicate(peered.stream->fd()).value());
  peered.stream->MarkShared();
  seat.reactor().Close(peered.stream);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_FALSE(test::IsReadable(seat.reactor().fd()));
}

TEST(Reactor, DestroyingItClosesWhatIsOpen) {
  OwnFd far;
  {
    Seat seat;
    auto peered = Open(&seat);
    peered.stream->SetDeadline(Side::kRead, MonotonicNow() + 1'000 * kMs);
    peered.stream->SetAwait(Side::kRead, Await::kAlways);
    far = std::move(peered.far);
  }
  EXPECT_EQ(test::ReceiveSome(far.get()), "");
}

TEST(Reactor, CreateReportsAFullTable) {
  const test::FullTable full;
  const auto reactor = Reactor::Create();
  ASSERT_FALSE(reactor.ok());
  EXPECT_EQ(reactor.error().number, EMFILE);
}

TEST(ReactorAlive, CountsHandlesThatAwaitSomethingAndHoldTheProcess) {
  Seat seat;
  const auto one = Open(&seat);
  const auto two = Open(&seat);
  Reactor& reactor = seat.reactor();
  EXPECT_EQ(reactor.alive(), 0);
  one.stream->SetAwait(Side::kRead, Await::kOnce);
  EXPECT_EQ(reactor.alive(), 1);
  one.stream->SetAwait(Side::kWrite, Await::kAlways);
  EXPECT_EQ(reactor.alive(), 1) << "a handle counts once";
  two.stream->SetAwait(Side::kRead, Await::kAlways);
  EXPECT_EQ(reactor.alive(), 2);
  two.stream->SetRef(false);
  two.stream->SetRef(false);
  EXPECT_EQ(reactor.alive(), 1);
  two.stream->SetRef(true);
  EXPECT_EQ(reactor.alive(), 2);
  one.stream->SetAwait(Side::kRead, Await::kNothing);
  EXPECT_EQ(reactor.alive(), 2) << "it still awaits the other side";
  one.stream->SetAwait(Side::kWrite, Await::kNothing);
  EXPECT_EQ(reactor.alive(), 1);
  reactor.Close(two.stream);
  EXPECT_EQ(reactor.alive(), 0);
}

TEST(ReactorAlive, ADirectionThatIsHeldCountsAndIsToldNothingUntilItIsAwaitedAgain) {
  Seat seat;
  const auto peered = Open(&seat);
  Stream& stream = *peered.stream;
  stream.SetDeadline(Side::kRead, MonotonicNow() + 1 * kMs);
  stream.SetAwait(Side::kRead, Await::kHeld);
  EXPECT_EQ(seat.reactor().alive(), 1);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  const int64_t until = MonotonicNow() + 5 * kMs;
  while (MonotonicNow() < until) EXPECT_TRUE(seat.Turn(1).empty());
  stream.WakeUp(Side::kRead);
  EXPECT_TRUE(seat.Turn().empty());
  EXPECT_EQ(seat.reactor().alive(), 1);
  stream.SetAwait(Side::kRead, Await::kAlways);
  EXPECT_EQ(seat.Turn(), (std::vector<Told>{{stream.id(), kNoticeReadable | kNoticeReadExpired}}));
  stream.SetAwait(Side::kRead, Await::kHeld);
  stream.SetRef(false);
  EXPECT_EQ(seat.reactor().alive(), 0);
}

TEST(ReactorAlive, ANoticeThatWasAwaitedOnceLetsGo) {
  Seat seat;
  const auto peered = Open(&seat);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  seat.Turn();
  EXPECT_EQ(seat.reactor().alive(), 0);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  EXPECT_EQ(seat.reactor().alive(), 1) << "until the leftover is told";
  seat.Turn();
  EXPECT_EQ(seat.reactor().alive(), 0);
}

TEST(ReactorAlive, UnreferencedHandlesNeverCount) {
  Seat seat;
  const auto peered = Open(&seat);
  peered.stream->SetRef(false);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  EXPECT_EQ(seat.reactor().alive(), 0);
  seat.reactor().Close(peered.stream);
  EXPECT_EQ(seat.reactor().alive(), 0);
}

// In Node's loop: nothing but fd() tells when to turn.
class NestedSeat : public testing::Test {
 protected:
  void SetUp() override { reactor().Leave(); }
  Reactor& reactor() { return seat_.reactor(); }
  bool IsReadable() { return test::IsReadable(reactor().fd()); }
  // What the host does: one visit of turns, while there is work.
  std::vector<Told> Visit() {
    std::vector<Told> told;
    reactor().Enter();
    do {
      const auto turn = seat_.Turn();
      told.insert(told.end(), turn.begin(), turn.end());
    } while (reactor().has_work());
    reactor().Leave();
    return told;
  }

  Seat seat_{4};
};

TEST_F(NestedSeat, FdIsReadableForEventsAndQuietAfterTheVisit) {
  const auto peered = Open(&seat_);
  peered.stream->SetAwait(Side::kRead, Await::kAlways);
  EXPECT_FALSE(IsReadable());
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_TRUE(IsReadable());
  EXPECT_EQ(Visit().size(), 1u);
  EXPECT_FALSE(IsReadable());
}

TEST_F(NestedSeat, FdIsReadableForWhatWasQueuedBetweenVisits) {
  const auto peered = Open(&seat_);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  EXPECT_TRUE(Visit().empty());
  EXPECT_FALSE(IsReadable());
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  EXPECT_TRUE(IsReadable()) << "no edge of the descriptor announces it";
  EXPECT_EQ(Visit().size(), 1u);
  EXPECT_FALSE(IsReadable());
}

TEST_F(NestedSeat, FdIsReadableForWorkThatAVisitLeft) {
  const auto peered = OpenReady(&seat_, 10);
  reactor().Enter();
  EXPECT_EQ(seat_.Turn().size(), 4u);
  EXPECT_TRUE(reactor().has_work());
  EXPECT_FALSE(IsReadable()) << "the events are harvested already";
  reactor().Leave();
  EXPECT_TRUE(IsReadable());
  EXPECT_EQ(Visit().size(), 6u);
  // The wake-up may outlast the work that it announced: then one visit finds nothing.
  if (IsReadable()) {
    EXPECT_TRUE(Visit().empty());
  }
  EXPECT_FALSE(IsReadable());
}

TEST_F(NestedSeat, FdIsReadableForADeadlineSetBetweenVisits) {
  const auto peered = Open(&seat_);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  const int64_t when = test::SetDeadlineAhead({peered.stream}, Side::kRead, 3 * kMs);
  ASSERT_TRUE(test::AwaitReadable(reactor().fd()));
  std::vector<Told> told;
  while ((told = Visit()).empty()) ASSERT_TRUE(test::AwaitReadable(reactor().fd()));
  EXPECT_GE(MonotonicNow(), when);
  EXPECT_EQ(told, (std::vector<Told>{{peered.stream->id(), kNoticeReadExpired}}));
}

TEST_F(NestedSeat, FdIsReadableForADeadlineSetDuringAVisit) {
  const auto peered = Open(&seat_);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  reactor().Enter();
  test::SetDeadlineAhead({peered.stream}, Side::kRead, 3 * kMs);
  reactor().Leave();
  while (Visit().empty()) ASSERT_TRUE(test::AwaitReadable(reactor().fd()));
}

TEST_F(NestedSeat, AnEarlierDeadlineIsNotHiddenByALaterOne) {
  const auto late = Open(&seat_);
  const auto early = Open(&seat_);
  for (const auto* p : {&late, &early}) p->stream->SetAwait(Side::kRead, Await::kOnce);
  late.stream->SetDeadline(Side::kRead, MonotonicNow() + 3'600'000 * kMs);
  test::SetDeadlineAhead({early.stream}, Side::kRead, 3 * kMs);
  std::vector<Told> told;
  while ((told = Visit()).empty()) ASSERT_TRUE(test::AwaitReadable(reactor().fd()));
  EXPECT_EQ(told[0].id, early.stream->id());
}

TEST_F(NestedSeat, ADeadlineThatWasPushedBackCostsOneIdleVisitAndFiresOnItsNewTime) {
  const auto peered = Open(&seat_);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  const int64_t first = MonotonicNow() + 2 * kMs;
  const int64_t second = first + 10 * kMs;
  peered.stream->SetDeadline(Side::kRead, first);
  peered.stream->SetDeadline(Side::kRead, second);
  std::vector<Told> told;
  int visits = 0;
  do {
    ASSERT_TRUE(test::AwaitReadable(reactor().fd()));
    told = Visit();
    ++visits;
  } while (told.empty());
  EXPECT_GE(MonotonicNow(), second);
  EXPECT_LE(visits, 3);
}

// A reactor on a thread of its own, blocking in its turns.
TEST(BlockingSeat, WakeFromAnotherThreadEndsATurn) {
  Seat seat;
  std::thread other([&] { seat.reactor().Wake(); });
  EXPECT_TRUE(seat.Turn(-1).empty());
  other.join();
}

TEST(BlockingSeat, ADeadlineEndsATurn) {
  Seat seat;
  const auto peered = Open(&seat);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  const int64_t when = test::SetDeadlineAhead({peered.stream}, Side::kRead, 3 * kMs);
  std::vector<Told> told;
  while ((told = seat.Turn(-1)).empty()) {
  }
  EXPECT_GE(MonotonicNow(), when);
  EXPECT_EQ(told, (std::vector<Told>{{peered.stream->id(), kNoticeReadExpired}}));
}

TEST(BlockingSeat, DoesNotBlockWhileThereIsWork) {
  Seat seat(4);
  const auto peered = OpenReady(&seat, 10);
  size_t told = 0;
  while (told < 10) told += seat.Turn(-1).size();
  EXPECT_EQ(told, 10u);
}

TEST(BlockingSeat, DoesNotBlockWhileALeftoverIsUntold) {
  Seat seat;
  const auto peered = Open(&seat);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "x"));
  seat.Turn();
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  EXPECT_EQ(seat.Turn(-1).size(), 1u);
}

TEST(BlockingSeat, TwoReactorsOnTwoThreadsPassAConnectionsBytesToAndFro) {
  constexpr int kRounds = 2'000;
  auto pair = test::UnixPair();
  const auto play = [](OwnFd fd, bool serves) {
    Seat seat;
    Stream* stream = seat.Adopt(std::move(fd), Stream::Kind::kUnix);
    char p = 'x';
    if (serves) {
      EXPECT_EQ(stream->Write(&p, 1, Call::kNew), 1);
    }
    for (int i = 0; i < kRounds; ++i) {
      while (stream->Read(&p, 1, Call::kNew) == kAgain) seat.WaitFor(stream, Side::kRead);
      if (serves && i == kRounds - 1) break;
      EXPECT_EQ(stream->Write(&p, 1, Call::kNew), 1);
    }
  };
  std::thread other(play, std::move(pair.far), false);
  play(std::move(pair.near), true);
  other.join();
}

TEST(DataAndDeadlines, DataBeatsItsOwnDeadline) {
  Seat seat;
  const auto peered = Open(&seat);
  const int64_t when = test::SetDeadlineAhead({peered.stream}, Side::kRead, kMs);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  ASSERT_TRUE(test::SendAll(peered.far.get(), "in time"));
  WaitUntil(when + 2 * kMs);  // now both are due
  EXPECT_EQ(seat.Turn(), (std::vector<Told>{{peered.stream->id(), kNoticeReadable}}));
  char p[16];
  EXPECT_EQ(peered.stream->Read(p, sizeof(p), Call::kResumed), 7);
  EXPECT_EQ(peered.stream->Read(p, sizeof(p), Call::kNew), kExpired);
}

TEST(DataAndDeadlines, DataOfABatchThatTakesSeveralTurnsBeatsItsDeadlineToo) {
  Seat seat(2);
  auto peered = OpenReady(&seat, 9);
  const int64_t when = MonotonicNow() + kMs;
  for (const auto& p : peered) {
    p.stream->SetAwait(Side::kRead, Await::kOnce);
    p.stream->SetDeadline(Side::kRead, when);
  }
  WaitUntil(when + 2 * kMs);
  size_t told = 0;
  while (told < peered.size()) {
    for (const Told& t : seat.Turn()) {
      EXPECT_EQ(t.notice, kNoticeReadable);
      ++told;
    }
  }
}

TEST(DataAndDeadlines, DeadlinesFireThoughEveryTurnBringsEvents) {
  Seat seat;
  const auto busy = Open(&seat);
  const auto idle = Open(&seat);
  busy.stream->SetAwait(Side::kRead, Await::kAlways);
  idle.stream->SetAwait(Side::kRead, Await::kOnce);
  const int64_t when = test::SetDeadlineAhead({idle.stream}, Side::kRead, 2 * kMs);
  bool expired = false;
  int turns_late = 0;
  while (!expired && turns_late < 10) {
    ASSERT_TRUE(test::SendAll(busy.far.get(), "x"));
    if (MonotonicNow() > when + kMs) ++turns_late;
    for (const Told& told : seat.Turn()) {
      expired = expired || told == Told{idle.stream->id(), kNoticeReadExpired};
    }
    char p;
    EXPECT_EQ(busy.stream->Read(&p, 1, Call::kResumed), 1);
  }
  EXPECT_TRUE(expired) << "one connection that never rests must not hold up the others' deadlines";
}

// The notice that ended the wait had nothing behind it, and meanwhile the deadline passed: whoever
// waits on has to be told.
TEST(DataAndDeadlines, AWaitThatGoesOnAfterItsDeadlineIsToldOfIt) {
  Seat seat;
  const auto peered = Open(&seat);
  const int64_t when = test::SetDeadlineAhead({peered.stream}, Side::kRead, kMs);
  WaitUntil(when + 2 * kMs);
  EXPECT_TRUE(seat.Turn().empty()) << "nobody waits yet";
  char p;
  EXPECT_EQ(peered.stream->Read(&p, 1, Call::kResumed), kAgain);
  peered.stream->SetAwait(Side::kRead, Await::kOnce);
  EXPECT_EQ(seat.Turn(), (std::vector<Told>{{peered.stream->id(), kNoticeReadExpired}}));
}

TEST(DataAndDeadlines, AnyNumberOfDeadlinesAtOnceFitsIntoTheRecords) {
  Seat seat(4);
  std::vector<Peered> peered;
  std::vector<Pollable*> streams;
  for (int i = 0; i < 50; ++i) {
    peered.push_back(Open(&seat));
    streams.push_back(peered.back().stream);
    streams.back()->SetAwait(Side::kRead, Await::kOnce);
  }
  WaitUntil(test::SetDeadlineAhead(streams, Side::kRead, 3 * kMs) + 2 * kMs);
  size_t told = 0;
  for (int turns = 0; told < 50 && turns < 20; ++turns) {
    const auto turn = seat.Turn();
    EXPECT_LE(turn.size(), 4u);
    told += turn.size();
  }
  EXPECT_EQ(told, 50u);
}

}  // namespace
}  // namespace spliceway
