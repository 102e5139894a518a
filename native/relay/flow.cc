#include "relay/flow.h"

#include <cerrno>
#include <utility>

#include "relay/transfer_thread.h"
#include "sys/clock.h"
#include "sys/io.h"
#include "sys/sockopt.h"

namespace spliceway {

void Flow::Begin(TransferThread* thread, const FlowOptions& options) {
  thread_ = thread;
  pump_.emplace(&thread->pipes(), source_.kind, sink_.kind);
  pump_->PutFirst(options.first);
  pump_->PutLast(options.last);
  pump_->SetOffset(options.offset);
  pump_->SetLimit(options.limit);
  if (options.rate > 0) pace_ = std::make_unique<Pace>(this, options.rate);
  // What stands around a file's bytes leaves in the same segments. It is no error where it cannot.
  corked_ = source_.kind == Pump::Kind::kFile && !(options.first.empty() && options.last.empty()) &&
            sys::SetCork(sink_.fd, true).ok();
  if (AttachPorts()) Advance();
}

bool Flow::AttachPorts() {
  if (source_.kind == Pump::Kind::kSocket) {
    const auto port = thread_->ports().Attach(source_.fd, Side::kRead, this);
    if (!port.ok()) return Fail(Pump::Status::kSourceFailed, port.error().number);
    source_port_ = port.value();
  }
  if (sink_.kind == Pump::Kind::kSocket) {
    const auto port = thread_->ports().Attach(sink_.fd, Side::kWrite, this);
    if (!port.ok()) return Fail(Pump::Status::kSinkFailed, port.error().number);
    sink_port_ = port.value();
  }
  return true;
}

bool Flow::Fail(Pump::Status status, int error) {
  error_ = error;
  owner_->OnEnded(*this, status);
  return false;
}

void Flow::Nudge() {
  if (running()) Advance();
}

void Flow::SetExpired(Side side, bool expired) {
  (side == Side::kRead ? source_expired_ : sink_expired_) = expired;
  if (!running()) return;
  // Who waits elsewhere meets the deadline when it goes on.
  const bool waits_here = (waits_for_ == Pump::Status::kSinkFull) == (side == Side::kWrite);
  if (!expired || waits_here) Advance();
}

void Flow::Advance() {
  if (SinkRefuses()) {
    Fail(Pump::Status::kSinkFailed, -kExpired);
    return;
  }
  if (source_expired_) return DrainExpired();
  if (pace_) Refill();
  const Pump::Status status = pump_->Run(source_.fd, sink_.fd);
  Publish();
  Wait(status);
}

// Bytes only: that the source is over, or has failed, takes no room.
bool Flow::SinkRefuses() const {
  if (!sink_expired_) return false;
  if (source_.kind == Pump::Kind::kFile || pump_->taken() > pump_->delivered()) return true;
  char next;
  return sys::Peek(source_.fd, &next, 1) > 0;
}

void Flow::DrainExpired() {
  const auto status = pump_->Drain(sink_.fd);
  Publish();
  if (status) return Wait(*status);
  Fail(Pump::Status::kSourceFailed, -kExpired);
}

void Flow::Publish() {
  const uint64_t now = pump_->delivered();
  if (now == delivered()) return;
  delivered_.store(now, std::memory_order_relaxed);
  owner_->OnMoved();
}

void Flow::Refill() {
  const uint64_t taken = pump_->taken();
  pace_->bucket.Spend(taken - std::exchange(pace_->spent, taken));
  pump_->Allow(taken + pace_->bucket.Available(MonotonicNow()));
}

void Flow::Wait(Pump::Status status) {
  waits_for_ = status;
  switch (status) {
    case Pump::Status::kSourceEmpty: return AwaitEdge(source_port_, Side::kRead);
    case Pump::Status::kSinkFull: return AwaitEdge(sink_port_, Side::kWrite);
    case Pump::Status::kMore:
      // Not left to an edge: what the pump has on its way may be the last that there is.
      if (source_port_ != nullptr) return source_port_->TellNextTurn(Side::kRead);
      return sink_port_->TellNextTurn(Side::kWrite);
    case Pump::Status::kHeld:
      Refill();
      return thread_->reactor().SetTimer(&pace_->timer, pace_->bucket.WorthItAt());
    default:
      error_ = pump_->error();
      limited_ = pump_->limited();
      return owner_->OnEnded(*this, status);
  }
}

void Flow::AwaitEdge(Port* port, Side side) {
  const Status status = port->AwaitEdge(side);
  if (!status.ok()) Fail(Pump::Status::kSinkFailed, status.error().number);
}

void Flow::OnTimer(int) { Advance(); }

void Flow::End() {
  if (!running()) return;
  pump_.reset();
  pace_.reset();
  if (source_port_ != nullptr) thread_->ports().Detach(source_port_, Side::kRead);
  if (sink_port_ != nullptr) thread_->ports().Detach(sink_port_, Side::kWrite);
  source_port_ = sink_port_ = nullptr;
  if (std::exchange(corked_, false)) (void)sys::SetCork(sink_.fd, false).ok();
}

}  // namespace spliceway
