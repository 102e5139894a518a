// One thread's event loop: a poller, a timer wheel and a table of handles. A Reactor does not know
// where it runs. In Node's own loop it is nested (binding/uv_host.cc waits on fd()); on a thread of
// its own it blocks in Turn; in unit tests it is turned by hand.
//
// A turn:  events from the poller → handles → notices in a Records list
//          timers, a turn later if notices are still to be handed over: data beats its own deadline
//          leftovers: handles with something to tell that no event of the poller announces
// Whoever turns it hands the records on, and turns again while has_work().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/pollable.h"
#include "core/slot_table.h"
#include "core/timer_wheel.h"
#include "poll/poller.h"

namespace spliceway {

// Notices for the owners of handles, as pairs (id, notice bits) in memory the seat provides.
struct Records {
  int32_t* pairs = nullptr;
  size_t capacity = 0;
  size_t count = 0;

  bool full() const { return count == capacity; }
  void Push(int32_t id, uint32_t notice) {
    pairs[2 * count] = id;
    pairs[2 * count + 1] = static_cast<int32_t>(notice);
    ++count;
  }
};

class Reactor {
 public:
  static Result<std::unique_ptr<Reactor>> Create();
  ~Reactor();

  // Becomes readable when Turn has something to do.
  int fd() const { return poller_->fd(); }
  // From any thread: ends a blocking Turn, or makes fd() readable.
  void Wake() { poller_->Wake(); }

  // Handles one batch of events, or as many as `records` has room for. With timeout_ms < 0 it
  // blocks until there is something to do.
  void Turn(Records* records, int timeout_ms);
  // Its two halves: taking events from the poller, and telling of them. What is called between the
  // two comes before what has happened to descriptors.
  void Harvest(int timeout_ms);
  void Deliver(Records* records);
  // Something is left that fd() does not tell of.
  bool has_work() const;

  // A nested seat says when it begins to turn and when it goes back to waiting on fd(). In between,
  // timers need not be armed nor work announced through the kernel; Leave does both once.
  void Enter() { attended_ = true; }
  void Leave();

  // Takes the object in; the pointer stays good until Close. Null when the table is full.
  template <typename T>
  T* Adopt(std::unique_ptr<T> object) {
    T* raw = object.get();
    return Insert(std::move(object)) ? raw : nullptr;
  }
  Pollable* Find(int32_t id) const { return slots_.FindId(id); }
  // Takes the object out and destroys it once nothing of it is on the stack. Its descriptor closes.
  void Close(Pollable* pollable);
  // The same, but the descriptor lives on.
  OwnFd Detach(Pollable* pollable);

  void SetTimer(Timer* timer, int64_t when_ns);

  size_t size() const { return slots_.size(); }
  // How many handles wait for something while holding the process alive.
  int alive() const { return alive_; }

 private:
  friend class Pollable;

  explicit Reactor(std::unique_ptr<Poller> poller);

  bool Insert(std::unique_ptr<Pollable> object);
  void DeliverEvents();
  void DeliverLeftovers();
  void RunTimers();
  void ArmTimer();

  // For handles.
  void Queue(Pollable* pollable);

  static constexpr size_t kBatch = 256;

  std::unique_ptr<Poller> poller_;
  TimerWheel wheel_;
  SlotTable<Pollable> slots_;
  std::array<Event, kBatch> batch_;
  size_t batch_next_ = 0;
  size_t batch_end_ = 0;
  std::vector<uint64_t> leftovers_;  // tags, so that a handle closed meanwhile is simply not found
  std::vector<std::unique_ptr<Pollable>> graveyard_;
  Records* records_ = nullptr;  // set during a turn
  int alive_ = 0;
  bool attended_ = true;
  bool timers_wait_ = false;  // due, but notices had to be handed over first
};

}  // namespace spliceway
