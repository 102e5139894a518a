// One direction of a connection through a chaos proxy: from a socket through a DelayLine to a
// socket.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "chaos/chance.h"
#include "chaos/delay_line.h"
#include "chaos/impairment.h"
#include "core/reactor.h"
#include "core/timer_wheel.h"
#include "io/port.h"
#include "relay/token_bucket.h"

namespace spliceway {

// What a direction of all connections together has done. Written by the proxy's thread, read by
// any.
struct LaneCounters {
  std::atomic<uint64_t> bytes = 0;
  std::atomic<uint64_t> segments = 0;
  std::atomic<uint64_t> lost = 0;
};

// What the lanes of one direction share.
struct LaneSettings {
  Impairment impairment;
  LaneCounters counters;
};

class Lane final : private Port::User, private TimerOwner {
 public:
  class Owner {
   public:
    // It is over: a FIN was passed on, or a reset is to be. Or the sink takes nothing any more.
    virtual void OnLaneOver(DelayLine::End end) = 0;

   protected:
    ~Owner() = default;
  };

  // The settings outlive it.
  Lane(Owner* owner, LaneSettings* settings, uint64_t seed, uint64_t connection, uint64_t direction)
      : owner_(owner),
        settings_(settings),
        line_(Chance::Of({seed, connection, direction, 0})),
        cuts_(Chance::Of({seed, connection, direction, 1})) {}

  // Both are open until End.
  void Begin(Reactor* reactor, Ports* ports, int source, int sink);
  // The impairment is another one.
  void Changed();
  // Lets go of both. Nothing more is told.
  void End();

 private:
  void OnPortReady() override { Advance(); }
  void OnTimer(int) override { Advance(); }

  const Impairment& impairment() const { return settings_->impairment; }
  bool Attach(int source, int sink);
  void Advance();
  bool Take(int64_t now);
  bool Give(int64_t now);
  size_t Allowed(int64_t now);
  void Took(int64_t result, int64_t now);
  size_t Cut(size_t due);
  void Count();
  void Wait(int64_t now);
  int64_t NextTime(int64_t now);
  void Over(DelayLine::End end);

  static constexpr size_t kReadAtOnce = 16 * 1024;
  // Reads and writes before others have their turn.
  static constexpr int kRounds = 16;

  Owner* owner_;
  LaneSettings* settings_;
  Reactor* reactor_ = nullptr;
  Ports* ports_ = nullptr;
  Port* source_ = nullptr;  // both are null once it is over
  Port* sink_ = nullptr;
  Timer timer_{this, 0};
  DelayLine line_;
  Chance cuts_;
  std::optional<TokenBucket> bucket_;
  uint64_t counted_segments_ = 0;
  uint64_t counted_lost_ = 0;
  int64_t next_slice_at_ = 0;
  bool source_over_ = false;
  bool source_empty_ = false;
  bool sink_full_ = false;
  bool throttled_ = false;
};

}  // namespace spliceway
