// The I/O threads for the sessions of one environment, started when they are first needed. They are
// apart from those of transfers: a PONG is not to wait for somebody's bulk.
#pragma once

#include <memory>
#include <vector>

#include "session/session_thread.h"

namespace spliceway {

class SessionPool {
 public:
  // `reactor` is the owner's, and is woken for news; `gauge` is that of its loop. Both outlive
  // this.
  SessionPool(Reactor* reactor, LoopGauge* gauge, size_t threads)
      : outbox_(reactor), gauge_(gauge), at_most_(threads) {}

  // The thread that has the fewest sessions; it counts as having one more until Done.
  Result<SessionThread*> Pick();
  void Done(SessionThread* thread);
  // Tells in the owner's next turn what is new.
  void Deliver() { outbox_.Deliver(); }
  // Ends every thread. Nobody is told; nothing may begin any more.
  void StopAll() { members_.clear(); }

 private:
  struct Member {
    std::unique_ptr<SessionThread> thread;
    size_t sessions = 0;
  };

  Member* LeastBusy();

  Outbox outbox_;
  LoopGauge* gauge_;
  size_t at_most_;
  std::vector<Member> members_;  // after the outbox, to which they push
};

}  // namespace spliceway
