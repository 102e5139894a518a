// A listening socket. It takes a connection from the kernel's queue only when asked to, never
// ahead.
//
// When the table of descriptors is full (EMFILE, ENFILE) or the kernel is short of memory, a
// listener pauses instead of failing: 5 ms at first, doubling up to a second, as Go's net/http
// does. Callers simply go on waiting. If the table is still full after a pause, the reserve
// descriptor is given up for a moment to accept and close what queues, so that clients are told
// instead of left hanging; `refused` counts them.
#pragma once

#include <cstdint>
#include <span>

#include "core/pollable.h"
#include "core/stream.h"
#include "core/timer_wheel.h"
#include "sys/fd.h"

namespace spliceway {

class Listener final : public Pollable {
 public:
  static constexpr Type kType = Type::kListener;

  // `reserve` may be empty: then clients wait in the queue until there is room.
  Listener(Reactor* reactor, OwnFd fd, Stream::Kind kind, OwnFd reserve);

  // Registers a socket that listens; or the same with the descriptor of another handle, or with one
  // that others made and may hold too, which stays theirs on an error.
  Status Start();
  Status StartWith(Pollable* other);
  Status StartOn(OwnFd* fd);

  // Accepts until the queue is empty or `out` is full. Returns how many streams were added to the
  // reactor, their ids in `out`; 0 with the queue empty is kAgain. A pause reports its errno, once:
  // the next notice says when to try again, as after kAgain.
  int64_t Accept(std::span<int32_t> out, Call call);
  // The next Accept asks the kernel, whatever its events have told so far: for whoever closes the
  // listener and wants none of those that queue reset.
  void Recheck() { half(Side::kRead).ready = true; }

  // During a pause, connections that arrive are not told of: its end is.
  bool paused() const { return pause_.pending(); }
  uint64_t refused() const { return refused_; }

  void OnReady(uint32_t ready) override;
  void OnTimer(int which) override;
  OwnFd Release() override;

 private:
  static constexpr int kPauseTimer = 2;

  Result<int32_t> AcceptOne();
  int64_t Pause(int error);
  void RefuseQueued();

  Stream::Kind kind_;
  OwnFd reserve_;
  Timer pause_;
  int64_t pause_ns_ = 0;  // the pause that ended last or runs; 0 when accepting works
  uint64_t refused_ = 0;
};

}  // namespace spliceway
