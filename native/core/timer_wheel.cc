#include "core/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace spliceway {

using internal::TimerLink;

void TimerWheel::Set(Timer* timer, int64_t when_ns) {
  const int64_t tick =
      when_ns > kNever - kTickNs ? kNever / kTickNs : (when_ns + kTickNs - 1) / kTickNs;
  // A deadline pushed back, by far the commonest move, costs one store: the timer stays in its
  // slot, and Drain puts it where it belongs by then.
  const bool later = timer->pending() && tick >= timer->tick_;
  timer->tick_ = tick;
  if (later) return;
  timer->Unlink();
  Insert(timer);
}

void TimerWheel::Insert(Timer* timer) {
  constexpr int64_t kSpan = int64_t{1} << (kBits * kLevels);
  // What is due already goes into the next tick; what is beyond the last level waits at its end.
  const int64_t tick = std::clamp(timer->tick_, tick_ + 1, tick_ + kSpan - 1);
  const uint64_t differs = static_cast<uint64_t>(tick ^ tick_) | (kSlots - 1);
  const int level = std::min((63 - std::countl_zero(differs)) / kBits, kLevels - 1);
  const int slot = static_cast<int>((tick >> (kBits * level)) & (kSlots - 1));
  timer->InsertBefore(&levels_[level].slots[slot]);
  levels_[level].occupied |= uint64_t{1} << slot;
}

// The first slot with a timer in it. A lower level's slots all come before a higher level's.
bool TimerWheel::FindDue(Due* due) {
  for (int i = 0; i < kLevels; ++i) {
    Level& level = levels_[i];
    const int shift = kBits * i;
    // Counted from the slot after the current one. Only the last level wraps: there the current
    // slot can hold timers of the next round, and comes last.
    const int next = static_cast<int>(((tick_ >> shift) + 1) & (kSlots - 1));
    while (level.occupied != 0) {
      const int ahead = std::countr_zero(std::rotr(level.occupied, next));
      const int slot = (next + ahead) & (kSlots - 1);
      if (!level.slots[slot].linked()) {
        level.occupied &= ~(uint64_t{1} << slot);
        continue;
      }
      *due = {i, slot, ((tick_ >> shift) + 1 + ahead) << shift};
      return true;
    }
  }
  return false;
}

int64_t TimerWheel::NextTurn() {
  Due due;
  if (!FindDue(&due)) return kNever;
  return due.tick > kNever / kTickNs ? kNever : due.tick * kTickNs;
}

void TimerWheel::Advance(int64_t now_ns) {
  const int64_t now = now_ns / kTickNs;
  Due due;
  while (FindDue(&due) && due.tick <= now) {
    tick_ = due.tick;
    Drain(due);
  }
  tick_ = std::max(tick_, now);
}

// Takes the slot's timers out first: an owner that is told may set, move or cancel any of them.
void TimerWheel::Drain(const Due& due) {
  TimerLink& slot = levels_[due.level].slots[due.slot];
  TimerLink taken;
  while (slot.linked()) {
    TimerLink* first = slot.next;
    first->Unlink();
    first->InsertBefore(&taken);
  }
  while (taken.linked()) {
    auto* timer = static_cast<Timer*>(taken.next);
    timer->Unlink();
    if (timer->tick_ > tick_) {
      Insert(timer);
    } else {
      timer->owner_->OnTimer(timer->which_);
    }
  }
}

}  // namespace spliceway
