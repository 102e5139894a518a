#include "relay/transfer.h"

#include "relay/transfer_thread.h"
#include "sys/clock.h"
#include "sys/socket.h"

namespace spliceway {

using Reason = TransferResult::Reason;

void Transfer::Begin(TransferThread* thread, int flow, const FlowOptions& options) {
  if (finished_) return;
  thread_ = thread;
  moved_at_ = MonotonicNow();
  WatchForIdleness();
  flows_[flow].Begin(thread, options);
}

void Transfer::Stop(TransferThread* thread) {
  thread_ = thread;
  Finish(Reason::kStopped);
}

void Transfer::OnMoved() {
  if (idle_.pending()) moved_at_ = MonotonicNow();
}

void Transfer::OnEnded(Flow& flow, Pump::Status status) {
  flow.End();
  if (status == Pump::Status::kEnd) return Passed(flow);
  Failed(flow, status == Pump::Status::kSinkFailed);
}

// Everything that the source had has reached the sink. Its FIN follows; a sink that was reset
// refuses it, which the other flow will find out after the last bytes.
void Transfer::Passed(Flow& flow) {
  if (options_.relay && flow.limited()) return Finish(Reason::kLimit);
  if (result_.ended_by < 0) result_.ended_by = flow.index();
  if (options_.relay) (void)sys::Shutdown(flow.sink().fd, sys::ShutdownHow::kWrite).ok();
  half_closed_ = true;
  if (++over_ == flows()) return Finish(result_.error == 0 ? Reason::kEnd : Reason::kFailed);
  moved_at_ = MonotonicNow();
  WatchForIdleness();
}

// A source that failed has nothing more to give, and takes nothing more. A sink that takes nothing
// may still hold bytes for the other side: that direction goes on until it has ended too, unless it
// was a deadline.
void Transfer::Failed(Flow& flow, bool at_sink) {
  const int32_t end = at_sink ? 1 - flow.index() : flow.index();
  if (result_.ended_by < 0) result_.ended_by = end;
  if (result_.error == 0) {
    result_.error = flow.error();
    result_.failed_flow = flow.index();
    result_.failed_at_sink = at_sink;
  }
  const bool other_goes_on = at_sink && flow.error() != -kExpired;
  if (other_goes_on && ++over_ < flows()) return;
  Finish(Reason::kFailed);
}

int64_t Transfer::patience() const {
  return half_closed_ && options_.half_close_ns > 0 ? options_.half_close_ns : options_.idle_ns;
}

// One timer that looks again when it fires, instead of one that is moved for every byte.
void Transfer::WatchForIdleness() {
  idle_.Cancel();
  if (patience() > 0) thread_->reactor().SetTimer(&idle_, moved_at_ + patience());
}

void Transfer::OnTimer(int) {
  if (MonotonicNow() < moved_at_ + patience()) return WatchForIdleness();
  const bool by_half_close = half_closed_ && options_.half_close_ns > 0;
  Finish(by_half_close ? Reason::kHalfClosed : Reason::kIdle);
}

// Who stopped it closes the connections in a moment; whoever does not know yet that it is over may
// be busy. Of what was reset there is nothing left to shut down.
void Transfer::TellPeers() {
  for (const Flow& flow : flows_) {
    (void)sys::Shutdown(flow.sink().fd, sys::ShutdownHow::kBoth).ok();
  }
}

void Transfer::Finish(Reason reason) {
  if (finished_) return;
  finished_ = true;
  result_.reason = reason;
  idle_.Cancel();
  for (Flow& flow : flows_) flow.End();
  if (options_.relay && reason != Reason::kEnd && reason != Reason::kStopped) TellPeers();
  thread_->Finished(this);
}

}  // namespace spliceway
