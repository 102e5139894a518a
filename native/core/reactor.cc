#include "core/reactor.h"

#include <algorithm>
#include <utility>

#include "sys/clock.h"
#include "sys/linger.h"

namespace spliceway {

Result<std::unique_ptr<Reactor>> Reactor::Create() {
  auto poller = Poller::Open();
  if (!poller.ok()) return poller.error();
  return std::unique_ptr<Reactor>(new Reactor(std::move(poller.value())));
}

Reactor::Reactor(std::unique_ptr<Poller> poller)
    : poller_(std::move(poller)), wheel_(MonotonicNow()) {}

Reactor::~Reactor() {
  slots_.ForEach([this](Pollable* pollable) { Close(pollable); });
  graveyard_.clear();
}

bool Reactor::Insert(std::unique_ptr<Pollable> object) {
  Pollable* raw = object.get();
  return slots_.Insert(std::move(object), &raw->name_);
}

void Reactor::Close(Pollable* pollable) {
  // Nothing but a connection has anything to wait for, and a listener's address is to be free at
  // once.
  const bool may_linger = pollable->may_linger() && pollable->type() == Pollable::Type::kStream;
  OwnFd fd = Detach(pollable);
  if (may_linger && fd && sys::Lingers(fd.get())) sys::CloseLingering(std::move(fd));
}

OwnFd Reactor::Detach(Pollable* pollable) {
  OwnFd fd = pollable->Release();
  std::unique_ptr<Pollable> object = slots_.Remove(pollable->name_);
  // During a turn a handle may be closed by a call that it is itself making.
  if (records_ != nullptr) graveyard_.push_back(std::move(object));
  return fd;
}

bool Reactor::has_work() const {
  return batch_next_ < batch_end_ || !leftovers_.empty() || timers_wait_;
}

void Reactor::Turn(Records* records, int timeout_ms) {
  Harvest(timeout_ms);
  Deliver(records);
}

void Reactor::Deliver(Records* records) {
  records_ = records;
  DeliverEvents();
  RunTimers();
  DeliverLeftovers();
  records_ = nullptr;
  graveyard_.clear();
}

void Reactor::Harvest(int timeout_ms) {
  if (batch_next_ < batch_end_) return;
  if (has_work()) timeout_ms = 0;
  if (timeout_ms != 0) ArmTimer();
  batch_next_ = 0;
  batch_end_ = poller_->Wait(batch_, timeout_ms);
}

void Reactor::DeliverEvents() {
  while (batch_next_ < batch_end_ && !records_->full()) {
    const Event event = batch_[batch_next_++];
    if (Pollable* pollable = slots_.FindTag(event.tag)) pollable->OnReady(event.ready);
  }
}

// Timers that are due wait until the events harvested before they were found due are delivered and
// handed over: data beats its own deadline. They wait for no later ones, or a reactor with events
// in every turn would never run them.
void Reactor::RunTimers() {
  const bool waited = timers_wait_;
  const int64_t next = wheel_.NextTurn();
  if (next == kNever) {
    timers_wait_ = false;
    return;
  }
  const int64_t now = MonotonicNow();
  const bool due = next <= now;
  timers_wait_ = due && (batch_next_ < batch_end_ || (records_->count > 0 && !waited));
  if (timers_wait_ || !due) return;
  wheel_.Advance(now);
}

// One pass over what is queued now; what is queued meanwhile is for the next turn.
void Reactor::DeliverLeftovers() {
  size_t done = 0;
  const size_t queued = leftovers_.size();
  while (done < queued && !records_->full()) {
    Pollable* pollable = slots_.FindTag(leftovers_[done++]);
    if (pollable == nullptr) continue;
    pollable->queued_ = false;
    pollable->OnLeftover();
  }
  leftovers_.erase(leftovers_.begin(), leftovers_.begin() + static_cast<ptrdiff_t>(done));
}

void Reactor::Leave() {
  attended_ = false;
  ArmTimer();
  if (has_work()) Wake();
}

void Reactor::Queue(Pollable* pollable) {
  if (pollable->queued_) return;
  pollable->queued_ = true;
  leftovers_.push_back(pollable->name_.tag());
  if (!attended_) Wake();
}

void Reactor::SetTimer(Timer* timer, int64_t when_ns) {
  wheel_.Set(timer, when_ns);
  if (!attended_ && when_ns < poller_->armed()) ArmTimer();
}

// Only an earlier expiry needs a system call. A timer that was cancelled or pushed back leaves an
// expiry armed that finds nothing due: one idle turn, instead of a call for each change.
void Reactor::ArmTimer() {
  const int64_t next = wheel_.NextTurn();
  // Fails only for values that the wheel does not produce.
  if (next < poller_->armed()) (void)poller_->Arm(next).ok();
}

}  // namespace spliceway
