// One direction of a transfer on an I/O thread: a Pump, and the waiting that it knows nothing of.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/timer_wheel.h"
#include "io/port.h"
#include "relay/pump.h"
#include "relay/token_bucket.h"

namespace spliceway {

class TransferThread;

// Where bytes come from or go to: a connection's descriptor, or a file's.
struct TransferEnd {
  int fd = -1;
  Pump::Kind kind = Pump::Kind::kSocket;
};

struct FlowOptions {
  uint64_t limit = UINT64_MAX;  // bytes from the source, `first` included
  uint64_t rate = 0;            // bytes a second; 0: as fast as it goes
  int64_t offset = -1;          // where in a file; -1: at its own position
  std::vector<uint8_t> first;   // before the source's bytes
  std::vector<uint8_t> last;    // after them, if it ends well
};

class Flow final : private Port::User, private TimerOwner {
 public:
  class Owner {
   public:
    virtual void OnMoved() = 0;
    // It is over; the pump says how.
    virtual void OnEnded(Flow& flow, Pump::Status status) = 0;

   protected:
    ~Owner() = default;
  };

  // `index` tells its owner's flows apart. One end at least is a connection.
  Flow(Owner* owner, int index, TransferEnd source, TransferEnd sink)
      : owner_(owner), index_(index), source_(source), sink_(sink) {}

  // On the thread that it then belongs to.
  void Begin(TransferThread* thread, const FlowOptions& options);
  // Tries again: something may have happened that no event tells of.
  void Nudge();
  // The deadline of the source's reads, or of the sink's writes, has passed, or has been moved
  // again. A source past it gives nothing more, while what it gave before is delivered. A sink past
  // it ends a wait for room, and refuses what comes next, which then stays in the source.
  void SetExpired(Side side, bool expired);
  // Lets go of everything. Nothing more is told.
  void End();

  int index() const { return index_; }
  const TransferEnd& source() const { return source_; }
  const TransferEnd& sink() const { return sink_; }
  bool running() const { return pump_.has_value(); }
  bool limited() const { return limited_; }
  // When it failed: errno, or -kExpired.
  int error() const { return error_; }

  // Bytes that the sink has taken. From any thread.
  uint64_t delivered() const { return delivered_.load(std::memory_order_relaxed); }

 private:
  struct Pace {
    Pace(Flow* flow, uint64_t rate) : bucket(rate, MonotonicNow()), timer(flow, 0) {}
    TokenBucket bucket;
    Timer timer;
    uint64_t spent = 0;  // what the bucket knows of
  };

  void OnPortReady() override { Advance(); }
  void OnTimer(int which) override;

  bool AttachPorts();
  bool Fail(Pump::Status status, int error);
  void Advance();
  bool SinkRefuses() const;
  void DrainExpired();
  void Publish();
  void Refill();
  void Wait(Pump::Status status);
  void AwaitEdge(Port* port, Side side);

  Owner* owner_;
  int index_;
  TransferEnd source_;
  TransferEnd sink_;
  TransferThread* thread_ = nullptr;
  Port* source_port_ = nullptr;
  Port* sink_port_ = nullptr;
  std::optional<Pump> pump_;    // while it runs
  std::unique_ptr<Pace> pace_;  // where it has a rate
  Pump::Status waits_for_ = Pump::Status::kMore;
  bool source_expired_ = false;
  bool sink_expired_ = false;
  bool corked_ = false;
  bool limited_ = false;
  int error_ = 0;
  std::atomic<uint64_t> delivered_ = 0;
};

}  // namespace spliceway
