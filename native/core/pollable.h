// A descriptor registered with a Reactor: what is alike in streams, listeners and connects.
//
// Each direction keeps what the kernel last said (`ready`: a call may succeed, so try it), what the
// owner wants (`await`: tell me when it may) and its deadline (`expired`: sticky until set anew).
// Nothing here moves bytes; nothing here holds memory of the caller's.
#pragma once

#include <cstdint>
#include <memory>

#include "core/lease.h"
#include "core/slot_table.h"
#include "core/status.h"
#include "core/timer_wheel.h"
#include "poll/poller.h"
#include "sys/fd.h"
#include "sys/result.h"

namespace spliceway {

class Pollable;
class Reactor;

enum class Side { kRead = 0, kWrite = 1 };

// What the owner of a handle is told, as bits of one word.
enum Notice : uint32_t {
  kNoticeReadable = 1,      // a read (or an accept) is worth trying
  kNoticeWritable = 2,      // a write is worth trying, or a connect has an outcome
  kNoticeReadExpired = 4,   // the read deadline has passed
  kNoticeWriteExpired = 8,  // the write deadline has passed
};

enum class Await : uint8_t {
  kNothing,
  kOnce,    // the next time, then no more
  kAlways,  // each time, until told otherwise
  kHeld,    // not now, but the process lives for it as if: a handler is at work on what came last
  kGuard,   // the next time, then no more, and the process does not live for it: nobody waits
};

// Whether a call is new, or goes on with one that waits. A new call must not start after its
// deadline even where the timer has not run yet; a waiting one takes what arrived, since data beats
// its own deadline (Go's internal/poll checks in the same two places).
enum class Call { kNew, kResumed };

// Whether a direction that is lent keeps the process alive of itself; if not, what is awaited of it
// does, as ever.
enum class Loan : uint8_t { kInUse, kIdle };

// Hears about a handle in place of the Reactor's records: native owners, such as a relay.
class Watcher {
 public:
  virtual void OnNotice(Pollable& pollable, uint32_t notice) = 0;

 protected:
  ~Watcher() = default;
};

class Pollable : public TimerOwner {
 public:
  enum class Type : uint8_t {
    kSocket,
    kStream,
    kListener,
    kPacketSocket,
    kPort,
    kTransfer,
    kSession,
    kChaosProxy,
  };

  Pollable(Type type, Reactor* reactor, OwnFd fd);
  virtual ~Pollable();
  Pollable(const Pollable&) = delete;
  Pollable& operator=(const Pollable&) = delete;

  Type type() const { return type_; }
  int fd() const { return fd_.get(); }
  int32_t id() const { return name_.id(); }
  Reactor& reactor() const { return *reactor_; }

  void SetAwait(Side side, Await await);
  // Whether somebody waits in that direction.
  bool awaited(Side side) const { return half(side).awaited(); }
  // True if it lies in the past: waiting calls of that direction are over at once. kNever clears
  // it.
  bool SetDeadline(Side side, int64_t monotonic_ns);
  // Whether new calls in that direction fail for their deadline.
  bool Expired(Side side) const;
  bool ready(Side side) const { return half(side).ready; }
  // Tells the owner in the next turn, whatever the kernel says by then.
  void TellNextTurn(Side side);
  // 0, or why a call in that direction must not touch the descriptor.
  int32_t Check(Side side, Call call) const;

  // For owners that make system calls of their own: the last one found nothing to do, whatever the
  // kernel had said before, and the next edge is worth a notice.
  Status AwaitEdge(Side side);
  // A call in that direction is worth trying, though no event says so.
  void WakeUp(Side side);

  // Lends that direction to an I/O thread. No readiness of it is told until it is taken back, while
  // its deadline is, being awaited. The descriptor stays open for as long as the lease is kept,
  // though this handle be closed. A direction is lent to one at a time.
  std::shared_ptr<Lease> Lend(Side side, Loan loan = Loan::kInUse);
  // From now on a call is worth trying again.
  Status TakeBack(Side side);
  bool lent(Side side) const { return half(side).lent; }

  // Whether an awaited notice keeps the process alive.
  void SetRef(bool on);
  bool ref() const { return ref_; }
  // A duplicate of the descriptor lives elsewhere, so that closing ours will not unregister it.
  void MarkShared() { shared_ = true; }
  // Its options are, or may have been, set by others than us: whether closing it would block
  // (sys/linger.h) is asked when it is closed. Not of every connection, as the question is a system
  // call.
  void MarkMayLinger() { may_linger_ = true; }
  bool may_linger() const { return may_linger_; }
  void SetWatcher(Watcher* watcher) { watcher_ = watcher; }
  Watcher* watcher() const { return watcher_; }

  // From the Reactor: an edge of the descriptor; or the turn in which what was queued is told.
  virtual void OnReady(uint32_t ready);
  virtual void OnLeftover();
  void OnTimer(int which) override;
  // Unregisters and lets go of the descriptor.
  virtual OwnFd Release();

 protected:
  struct Half {
    bool ready : 1 = false;
    bool expired : 1 = false;
    bool tell_expired : 1 = false;  // expired, and whoever awaits it has not been told yet
    bool lent : 1 = false;          // an I/O thread has it
    bool in_use : 1 = false;        // and the process lives for that
    Await await = Await::kNothing;

    bool awaited() const { return await != Await::kNothing && await != Await::kGuard; }
    bool wanted() const { return await != Await::kNothing && await != Await::kHeld; }
    bool once() const { return await == Await::kOnce || await == Await::kGuard; }
  };

  Half& half(Side side) { return halves_[static_cast<int>(side)]; }
  const Half& half(Side side) const { return halves_[static_cast<int>(side)]; }

  Status Register(uint32_t interest);
  Status AddInterest(uint32_t interest);
  void RemoveInterest(uint32_t interest);
  // Takes the other's descriptor, and its registration over to this name.
  Status TakeOver(Pollable* other, uint32_t interest);
  // Takes a descriptor that others made and may hold too. On an error it stays where it was.
  Status TakeIn(OwnFd* fd, uint32_t interest);
  void SetTimer(Timer* timer, int64_t when_ns);
  // The notices that are due now; a direction that awaited its notice once awaits no more.
  uint32_t TakeNotices();
  void Notify(uint32_t notice);

 private:
  friend class Reactor;

  struct Deadlines {
    explicit Deadlines(TimerOwner* owner) : timers{{owner, 0}, {owner, 1}} {}
    Timer timers[2];
    int64_t when[2] = {kNever, kNever};
  };

  bool keeps_alive() const;
  void UpdateAlive(bool before);
  void SetLent(Side side, bool lent, bool in_use);

  Reactor* reactor_;
  OwnFd fd_;
  SlotName name_;
  uint32_t interest_ = 0;
  Type type_;
  Half halves_[2];
  bool ref_ : 1 = true;
  bool shared_ : 1 = false;
  bool may_linger_ : 1 = false;
  bool queued_ : 1 = false;  // on the reactor's list of leftovers
  Watcher* watcher_ = nullptr;
  std::unique_ptr<Deadlines> deadlines_;  // most connections never have one
  std::shared_ptr<Lease> lease_;          // once a direction has been lent
};

}  // namespace spliceway
