// Sessions on threads of their own, at one end of a connection or at both.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>
#include <string>

#include "core/status.h"
#include "session/session_handle.h"
#include "support/descriptors.h"
#include "support/frames.h"
#include "support/seat.h"

namespace spliceway {
namespace {

using test::kMs;

class Gauge final : public LoopGauge {
 public:
  int64_t StuckFor(int64_t) override {
    while (hold) holds = true;
    holds = false;
    return stuck_for;
  }
  std::atomic<int64_t> stuck_for = 0;
  std::atomic<bool> hold = false;  // has the thread that asks wait
  std::atomic<bool> holds = false;
};

SessionOptions Options(int64_t interval = 20 * kMs) {
  HealthOptions health;
  health.interval = interval;
  health.late_after = 10'000 * kMs;  // however busy the machine is
  return {Wire(HeaderBody::Layout{}, 1000),
          4000,
          0,
          std::make_shared<const HealthOptions>(health),
          1,
          {}};
}

std::string TextOf(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

class SessionTest : public testing::Test {
 protected:
  SessionHandle* Open(OwnFd fd, SessionOptions options = Options()) {
    Stream* stream = seat.Adopt(std::move(fd), Stream::Kind::kTcp);
    auto* handle = seat.reactor().Adopt(std::make_unique<SessionHandle>(&seat.reactor(), &pool));
    int32_t refusal = 0;
    EXPECT_TRUE(handle->Start(stream, std::move(options), &refusal).ok());
    EXPECT_EQ(refusal, 0);
    streams.push_back(stream);
    sessions.push_back(handle->id());
    return handle;
  }

  // As an environment does: threads, handles, the pool.
  void TearDown() override {
    gauge.hold = false;
    pool.StopAll();
    for (const int32_t id : sessions) {
      if (Pollable* handle = seat.reactor().Find(id)) seat.reactor().Close(handle);
    }
  }

  template <typename Condition>
  bool Until(Condition condition) {
    const int64_t until = MonotonicNow() + test::kPatienceMs * kMs;
    while (!condition()) {
      if (MonotonicNow() > until) return false;
      for (const test::Told& each : seat.Turn(1)) told.insert(each.id);
      pool.Deliver();
    }
    return true;
  }

  static std::string Take(SessionHandle* handle) {
    std::string into(4096, '\0');
    const int64_t n = handle->Take({reinterpret_cast<uint8_t*>(into.data()), into.size()});
    return n > 0 ? into.substr(0, static_cast<size_t>(n)) : "";
  }
  static void Put(SessionHandle* handle, const std::string& frames) {
    const Bytes bytes = test::BytesOf(frames);
    bool waits = false;
    handle->Put({&bytes, 1}, &waits);
  }

  test::Seat seat;
  Gauge gauge;
  SessionPool pool{&seat.reactor(), &gauge, 1};
  test::Pair pair = test::TcpPair();
  std::vector<Stream*> streams;
  std::vector<int32_t> sessions;
  test::Feeder feeder{std::make_unique<HeaderBody>(HeaderBody::Layout{}, 1 << 20)};
  std::set<int32_t> told;  // who had a notice
};

TEST_F(SessionTest, TwoEndsBeatAndPassFrames) {
  SessionHandle* a = Open(std::move(pair.near));
  SessionHandle* b = Open(std::move(pair.far));
  const std::string frame = test::HeaderBodyFrame(1, "hello");
  Put(a, frame + frame);
  std::string got;
  EXPECT_TRUE(Until([&] { return (got += Take(b)).size() == 2 * frame.size(); }));
  EXPECT_EQ(got, frame + frame);
  EXPECT_TRUE(Until([&] { return a->session().figures().answered > 3; }));
  EXPECT_EQ(a->session().figures().health, Health::kHealthy);
  EXPECT_GT(a->session().figures().rtt, 0);
}

TEST_F(SessionTest, MoreThanTheWindowPassesAsItIsTaken) {
  SessionHandle* a = Open(std::move(pair.near));
  SessionHandle* b = Open(std::move(pair.far));
  const std::string frame = test::HeaderBodyFrame(1, std::string(900, 'x'));
  for (int i = 0; i < 100; ++i) Put(a, frame);
  size_t got = 0;
  EXPECT_TRUE(Until([&] { return (got += Take(b).size()) == 100 * frame.size(); }));
  EXPECT_EQ(a->session().sender().sent(), 100 * frame.size());
}

TEST_F(SessionTest, TellsOfRoomThatTheOwnersCreditMade) {
  SessionOptions options = Options();
  HealthOptions health = *options.health;
  health.reply_floor = health.reply_cap = 60'000 * kMs;  // no news of that
  options.health = std::make_shared<const HealthOptions>(health);
  SessionHandle* a = Open(std::move(pair.near), options);
  const Wire& wire = options.wire;
  ByteQueue control;
  wire.PutCredit(1 << 30, &control);
  const std::string frame = test::HeaderBodyFrame(1, std::string(900, 'x'));
  ASSERT_TRUE(test::SendAll(pair.far.get(), frame + frame + frame + TextOf(control.bytes())));
  EXPECT_TRUE(Until([&] { return a->session().sender().credit() > 0; }));

  gauge.hold = true;
  control.Drop(control.size());
  wire.PutBeat(Wire::kPing, {1, 0, 0}, &control);
  ASSERT_TRUE(test::SendAll(pair.far.get(), TextOf(control.bytes())));
  EXPECT_TRUE(Until([&] { return gauge.holds.load(); }));
  const Bytes bytes = test::BytesOf(frame);
  bool waits = false;
  while (!waits) a->Put({&bytes, 1}, &waits);
  while (test::Await(pair.far.get(), POLLIN, 50)) test::ReceiveSome(pair.far.get());
  EXPECT_EQ(Take(a).size(), 3 * frame.size()) << "worth a frame of credit";
  gauge.hold = false;
  EXPECT_TRUE(Until([&] { return told.contains(a->id()); }));
}

TEST_F(SessionTest, WhatNeedsCreditFailsBehindThePeersFin) {
  SessionHandle* a = Open(std::move(pair.near));
  Put(a, test::HeaderBodyFrame(1, "waits for credit"));
  ASSERT_TRUE(sys::Shutdown(pair.far.get(), sys::ShutdownHow::kWrite).ok());
  EXPECT_TRUE(Until([&] { return a->finished(); }));
  EXPECT_EQ(a->session().result().end, SessionEnd::kWriteFailed);
  EXPECT_EQ(a->session().result().error, EPIPE);
}

TEST_F(SessionTest, AFloodOfPingsIsNotAnsweredOneByOne) {
  Open(std::move(pair.near));
  const auto ping = [](uint32_t sequence, int times) {
    ByteQueue frames;
    for (int i = 0; i < times; ++i) Options().wire.PutBeat(Wire::kPing, {sequence, 0, 0}, &frames);
    return TextOf(frames.bytes());
  };
  gauge.hold = true;
  ASSERT_TRUE(test::SendAll(pair.far.get(), ping(1, 1)));
  EXPECT_TRUE(Until([&] { return gauge.holds.load(); }));
  ASSERT_TRUE(test::SendAll(pair.far.get(), ping(2, 1000)));
  gauge.hold = false;
  const auto pongs = [&](uint8_t sequence) {
    const std::string body = std::string(3, '\0') + static_cast<char>(sequence);
    return std::count_if(feeder.frames().begin(), feeder.frames().end(), [&](const auto& frame) {
      return frame.command == 0xf2 && frame.body.starts_with(body);
    });
  };
  EXPECT_TRUE(Until([&] {
    EXPECT_TRUE(test::SendAll(pair.far.get(), ping(3, 1)));
    if (test::IsReadable(pair.far.get())) feeder.Feed(test::ReceiveSome(pair.far.get()));
    return pongs(3) > 0;
  })) << "in a later turn it is answered again";
  EXPECT_LE(pongs(2), 64);
}

TEST_F(SessionTest, SaysForHowLongItsOwnersLoopIsStuck) {
  gauge.stuck_for = 2000 * kMs;
  SessionHandle* a = Open(std::move(pair.near));
  Open(std::move(pair.far));
  EXPECT_TRUE(Until([&] { return a->session().figures().health == Health::kStalled; }));
  gauge.stuck_for = 0;
  EXPECT_TRUE(Until([&] { return a->session().figures().health == Health::kHealthy; }));
  EXPECT_GE(a->session().TakeTransitions().size(), 2u);
}

TEST_F(SessionTest, APeerThatSaysNothingIsLost) {
  SessionOptions options = Options();
  HealthOptions health = *options.health;
  health.reply_floor = health.reply_cap = 50 * kMs;
  options.health = std::make_shared<const HealthOptions>(health);
  SessionHandle* a = Open(std::move(pair.near), options);
  EXPECT_TRUE(Until([&] { return a->finished(); }));
  EXPECT_EQ(a->session().result().end, SessionEnd::kLost);
  EXPECT_EQ(a->Take({}), 0) << "the end, for whoever still looks";
}

TEST_F(SessionTest, ABreachOfCreditEndsIt) {
  SessionHandle* a = Open(std::move(pair.near));
  const std::string frame = test::HeaderBodyFrame(1, std::string(900, 'x'));
  for (int i = 0; i < 5; ++i) (void)test::SendAll(pair.far.get(), frame);
  EXPECT_TRUE(Until([&] { return a->finished(); }));
  EXPECT_EQ(a->session().result().end, SessionEnd::kBreach);
}

TEST_F(SessionTest, AResetIsAFailure) {
  SessionHandle* a = Open(std::move(pair.near));
  test::Reset(std::move(pair.far));
  EXPECT_TRUE(Until([&] { return a->finished(); }));
  const SessionResult result = a->session().result();
  EXPECT_TRUE(result.end == SessionEnd::kReadFailed || result.end == SessionEnd::kWriteFailed);
  EXPECT_TRUE(result.error == ECONNRESET || result.error == EPIPE);
}

TEST_F(SessionTest, AFinEndsTheHeartbeatAndNothingElse) {
  SessionHandle* a = Open(std::move(pair.near));
  SessionHandle* b = Open(std::move(pair.far));
  EXPECT_TRUE(Until([&] { return a->session().figures().answered > 0; }));
  b->Finish();
  EXPECT_TRUE(Until([&] { return a->Take({}) == 0; }));
  const std::string frame = test::HeaderBodyFrame(1, "still");
  Put(a, frame);
  EXPECT_TRUE(Until([&] { return Take(b) == frame; }));
  EXPECT_FALSE(a->finished());
  EXPECT_FALSE(b->finished());
}

TEST_F(SessionTest, AFrameThatTakesTooLongEndsIt) {
  SessionOptions options = Options();
  options.frame_timeout = 20 * kMs;
  SessionHandle* a = Open(std::move(pair.near), options);
  ASSERT_TRUE(test::SendAll(pair.far.get(), test::HeaderBodyFrame(1, "whole").substr(0, 14)));
  EXPECT_TRUE(Until([&] { return a->finished(); }));
  EXPECT_EQ(a->session().result().end, SessionEnd::kFrameTimeout);
}

TEST_F(SessionTest, WhatIsNoFrameIsTheOwnersToSee) {
  SessionHandle* a = Open(std::move(pair.near));
  const std::string good = test::HeaderBodyFrame(1, "good");
  ASSERT_TRUE(test::SendAll(pair.far.get(), good + "garbage"));
  std::string got;
  EXPECT_TRUE(Until([&] { return (got += Take(a)).size() == good.size() + 7; }));
  EXPECT_EQ(got, good + "garbage");
  EXPECT_EQ(a->Take({}), 0);
}

TEST_F(SessionTest, TheDescriptorClosesWhenTheSessionHasLetGo) {
  const size_t before = test::OpenDescriptors().size();
  SessionHandle* a = Open(std::move(pair.near));
  seat.reactor().Close(streams[0]);
  a->Stop();
  EXPECT_TRUE(Until([&] { return a->finished(); }));
  seat.reactor().Close(a);
  seat.Turn();
  pair.far = OwnFd();
  pool.StopAll();
  EXPECT_EQ(test::OpenDescriptors().size() + 2, before);
}

TEST_F(SessionTest, AStopLosesNothingOfWhatWasSent) {
  SessionHandle* a = Open(std::move(pair.near), Options(1 * kMs));
  SessionHandle* b = Open(std::move(pair.far), Options(1 * kMs));
  const std::string frame = test::HeaderBodyFrame(1, "last");
  EXPECT_TRUE(Until([&] { return a->session().sender().credit() > 0; }));
  Put(a, frame);
  a->Stop();
  std::string got;
  EXPECT_TRUE(Until([&] { return (got += Take(b)).size() == frame.size(); }));
  EXPECT_TRUE(Until([&] { return b->Take({}) == 0; }));
  EXPECT_EQ(b->session().result().end, SessionEnd::kNone);
}

TEST_F(SessionTest, ThreadsEndWithWhatStillRuns) {
  Open(std::move(pair.near));
  Open(std::move(pair.far));
  pool.StopAll();
}

TEST_F(SessionTest, OneThatIsNotIdleIsRefused) {
  Stream* stream = seat.Adopt(std::move(pair.near), Stream::Kind::kTcp);
  class Owner final : public Watcher {
    void OnNotice(Pollable&, uint32_t) override {}
  } owner;
  stream->SetWatcher(&owner);
  auto* handle = seat.reactor().Adopt(std::make_unique<SessionHandle>(&seat.reactor(), &pool));
  int32_t refusal = 0;
  EXPECT_TRUE(handle->Start(stream, Options(), &refusal).ok());
  EXPECT_EQ(refusal, kBusy);
  seat.reactor().Close(handle);
}

}  // namespace
}  // namespace spliceway
