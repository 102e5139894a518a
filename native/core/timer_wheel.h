// A hierarchical timing wheel: any number of timers, O(1) to set, move and cancel.
//
// Time is counted in ticks of one millisecond. Level L has 64 slots of 64^L ticks, so that
//
//   level 0   64 slots of      1 ms     timers due within      64 ms
//   level 1   64 slots of     64 ms                             4 s
//   level 2   64 slots of      4 s                              4 min
//   level 3   64 slots of      4 min                            4 h
//   level 4   64 slots of      4 h                             12 days
//   level 5   64 slots of     12 days                           2 years (later ones wait at its
//   end)
//
// A timer stands on the level of the highest six-bit digit in which its tick differs from the
// wheel's. When the wheel enters a slot above level 0, the slot's timers move down ("cascade").
// After tokio's wheel and Varghese & Lauck, "Hashed and Hierarchical Timing Wheels" (1987).
#pragma once

#include <array>
#include <cstdint>

#include "sys/clock.h"

namespace spliceway {

class TimerOwner {
 public:
  virtual void OnTimer(int which) = 0;

 protected:
  ~TimerOwner() = default;
};

namespace internal {

struct TimerLink {
  TimerLink* prev = this;
  TimerLink* next = this;

  TimerLink() = default;
  TimerLink(const TimerLink&) = delete;
  TimerLink& operator=(const TimerLink&) = delete;

  bool linked() const { return next != this; }
  void Unlink() {
    prev->next = next;
    next->prev = prev;
    prev = next = this;
  }
  void InsertBefore(TimerLink* other) {
    prev = other->prev;
    next = other;
    prev->next = next->prev = this;
  }
};

}  // namespace internal

// Intrusive: lives inside what it belongs to, and leaves the wheel when that is destroyed.
class Timer : private internal::TimerLink {
 public:
  // `which` comes back in OnTimer, for owners with several timers.
  Timer(TimerOwner* owner, int which) : owner_(owner), which_(which) {}
  ~Timer() { Cancel(); }

  bool pending() const { return linked(); }
  void Cancel() { Unlink(); }

 private:
  friend class TimerWheel;

  TimerOwner* owner_;
  int64_t tick_ = 0;
  int which_;
};

class TimerWheel {
 public:
  explicit TimerWheel(int64_t now_ns) : tick_(now_ns / kTickNs) {}

  // Sets the timer, or moves it. It fires in the first Advance at or after `when_ns`, never before.
  void Set(Timer* timer, int64_t when_ns);

  // Fires what is due. An owner may set and cancel timers, its own or others', while it is told.
  void Advance(int64_t now_ns);

  // When Advance next has something to do, be it only to move timers down a level; kNever if empty.
  int64_t NextTurn();

 private:
  static constexpr int64_t kTickNs = 1'000'000;
  static constexpr int kBits = 6;
  static constexpr int kSlots = 1 << kBits;
  static constexpr int kLevels = 6;

  struct Level {
    std::array<internal::TimerLink, kSlots> slots;
    uint64_t occupied = 0;  // a superset: Cancel leaves the bit of a slot it empties
  };
  struct Due {
    int level, slot;
    int64_t tick;
  };

  void Insert(Timer* timer);
  bool FindDue(Due* due);
  void Drain(const Due& due);

  std::array<Level, kLevels> levels_;
  int64_t tick_;
};

}  // namespace spliceway
