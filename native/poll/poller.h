// The contract between the kernel's readiness queue and the Reactor. poller_epoll.cc and
// poller_kqueue.cc each define this class; the build picks one, and nothing above asks which.
//
// What each backend promises:
//  - Edges. Every change from "not ready" to "ready" of a registered descriptor is reported at
//    least once after it happened. An edge is reported once: whoever gets it keeps the fact until
//    a system call says EAGAIN. Spurious reports are allowed, lost ones are not.
//  - Add and Modify report readiness that is there already.
//  - Tags. An event carries the tag of the registration it belongs to. An event harvested before a
//    Remove may still be delivered after it, so tags must not be reused (see core/slot_table.h).
//  - One timer. After Arm(t) the descriptor fd() is readable from t on, and Wait returns; arming
//    again moves the timer. It may also fire late, but never early, and firing it disarms it.
//  - Wake, from any thread, makes fd() readable and Wait return. Several Wakes may merge into one.
//  - fd() is readable whenever Wait(…, 0) would return events, so that another loop can wait on it.
// All calls but Wake belong to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/result.h"

namespace spliceway {

// What a registration asks for and what an event says, as bits.
enum Ready : uint32_t {
  kReadable = 1,
  kWritable = 2,
  kReadClosed = 4,  // the peer will send no more; there may still be bytes to read
  kHangup = 8,      // both directions are over; kqueue says so of each direction apart
  kFailed = 16,     // an error waits for the next call on the descriptor
  kPriority = 32,   // there may be urgent data, at whose mark TCP stops a read short
};

struct Event {
  uint64_t tag;
  uint32_t ready;
};

class Poller {
 public:
  static constexpr uint64_t kMaxTag = UINT64_MAX - 2;  // the backends keep two for themselves

  static Result<std::unique_ptr<Poller>> Open();

  // `interest` is kReadable, kWritable or both; the other bits are reported unasked.
  Status Add(int fd, uint64_t tag, uint32_t interest);
  Status Modify(int fd, uint64_t tag, uint32_t interest);
  // Needed only where a duplicate of the descriptor lives on; closing the last one removes it too.
  void Remove(int fd);

  Status Arm(int64_t monotonic_ns);
  // What the timer is set to; kNever once Wait has seen it fire.
  int64_t armed() const { return armed_; }
  void Wake();

  // The number of events written to `out`; timeout_ms < 0 waits until there is one. An elapsed
  // timer and a Wake end the wait but write nothing.
  size_t Wait(std::span<Event> out, int timeout_ms);

  int fd() const { return queue_.get(); }

 private:
  Poller() = default;

  OwnFd queue_;
  OwnFd wake_;   // epoll: an eventfd; kqueue needs none
  OwnFd timer_;  // epoll: a timerfd; kqueue needs none
  int64_t armed_ = kNever;
};

}  // namespace spliceway
