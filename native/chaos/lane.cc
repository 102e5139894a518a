#include "chaos/lane.h"

#include <algorithm>
#include <utility>

#include "core/status.h"
#include "sys/clock.h"
#include "sys/io.h"
#include "sys/socket.h"

namespace spliceway {

using LineEnd = DelayLine::End;

void Lane::Begin(Reactor* reactor, Ports* ports, int source, int sink) {
  reactor_ = reactor;
  ports_ = ports;
  if (Attach(source, sink)) Changed();
}

bool Lane::Attach(int source, int sink) {
  const auto from = ports_->Attach(source, Side::kRead, this);
  if (from.ok()) source_ = from.value();
  const auto to = ports_->Attach(sink, Side::kWrite, this);
  if (to.ok()) sink_ = to.value();
  if (from.ok() && to.ok()) return true;
  Over(LineEnd::kReset);
  return false;
}

void Lane::Changed() {
  if (source_ == nullptr) return;
  const uint64_t rate = impairment().bandwidth;
  bucket_.reset();
  if (rate > 0) bucket_.emplace(rate, MonotonicNow());
  Advance();
}

void Lane::Advance() {
  for (int round = 0; round < kRounds; ++round) {
    const int64_t now = MonotonicNow();
    const bool took = Take(now);
    const bool gave = Give(now);
    if (source_ == nullptr) return;
    if (!took && !gave) return Wait(now);
  }
  source_->TellNextTurn(Side::kRead);
}

// False when nothing more can be taken for now.
bool Lane::Take(int64_t now) {
  source_empty_ = false;
  const size_t allowed = Allowed(now);
  if (source_over_ || allowed == 0) return false;
  char buffer[kReadAtOnce];
  const int64_t got = sys::Receive(source_->fd(), buffer, allowed);
  source_empty_ = got == kAgain;
  if (source_empty_) return false;
  if (got > 0) line_.Push({buffer, static_cast<size_t>(got)}, impairment(), now);
  Took(got, now);
  Count();
  return true;
}

size_t Lane::Allowed(int64_t now) {
  const uint64_t tokens = bucket_ ? bucket_->Available(now) : kReadAtOnce;
  throttled_ = tokens == 0;
  return std::min<uint64_t>({line_.room(), kReadAtOnce, tokens});
}

void Lane::Took(int64_t result, int64_t now) {
  if (result > 0) {
    if (bucket_) bucket_->Spend(static_cast<uint64_t>(result));
    return;
  }
  source_over_ = true;
  line_.PushEnd(result == 0 ? LineEnd::kFin : LineEnd::kReset, impairment(), now);
}

// False when nothing more can be given for now.
bool Lane::Give(int64_t now) {
  sink_full_ = false;
  if (impairment().black_hole || now < next_slice_at_) return false;
  const auto due = line_.Front(now);
  if (due.empty()) {
    const LineEnd end = line_.EndedBy(now);
    if (end != LineEnd::kNone) Over(end);
    return false;
  }
  const int64_t sent = sys::Send(sink_->fd(), due.data(), Cut(due.size()));
  sink_full_ = sent == kAgain;
  if (sink_full_) return false;
  if (sent < 0) {
    Over(LineEnd::kReset);
    return false;
  }
  line_.Pop(static_cast<size_t>(sent));
  settings_->counters.bytes.fetch_add(static_cast<uint64_t>(sent), std::memory_order_relaxed);
  if (impairment().slice > 0) next_slice_at_ = now + impairment().slice_gap_ns;
  return true;
}

// How much of what is due is written at once.
size_t Lane::Cut(size_t due) {
  const uint32_t slice = impairment().slice;
  if (slice == 0) return due;
  return std::min(due, static_cast<size_t>(cuts_.Next() * slice) + 1);
}

void Lane::Count() {
  const auto add = [](std::atomic<uint64_t>* total, uint64_t* counted, uint64_t now) {
    total->fetch_add(now - std::exchange(*counted, now), std::memory_order_relaxed);
  };
  add(&settings_->counters.segments, &counted_segments_, line_.segments());
  add(&settings_->counters.lost, &counted_lost_, line_.lost());
}

void Lane::Wait(int64_t now) {
  // Neither fails for a descriptor that is registered but for want of memory.
  const bool awaiting = (!source_empty_ || source_->AwaitEdge(Side::kRead).ok()) &&
                        (!sink_full_ || sink_->AwaitEdge(Side::kWrite).ok());
  if (!awaiting) return Over(LineEnd::kReset);
  const int64_t when = NextTime(now);
  timer_.Cancel();
  if (when != kNever) reactor_->SetTimer(&timer_, when);
}

// What is due and has not left waits for the sink, not for a time.
int64_t Lane::NextTime(int64_t now) {
  int64_t when = throttled_ && !source_over_ ? bucket_->WorthItAt() : kNever;
  if (impairment().black_hole || sink_full_) return when;
  const int64_t due = line_.NextDue();
  if (due != kNever) when = std::min(when, std::max({due, next_slice_at_, now}));
  return when;
}

void Lane::Over(LineEnd end) {
  const int sink = sink_ == nullptr ? -1 : sink_->fd();
  End();
  // A sink that was reset refuses it, and its own direction tells of that.
  if (end == LineEnd::kFin) (void)sys::Shutdown(sink, sys::ShutdownHow::kWrite).ok();
  owner_->OnLaneOver(end);
}

void Lane::End() {
  timer_.Cancel();
  if (Port* port = std::exchange(source_, nullptr)) ports_->Detach(port, Side::kRead);
  if (Port* port = std::exchange(sink_, nullptr)) ports_->Detach(port, Side::kWrite);
}

}  // namespace spliceway
