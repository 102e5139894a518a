// The I/O threads of one environment, started when they are first needed.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "relay/transfer_thread.h"

namespace spliceway {

class TransferPool {
 public:
  // A disk that is slow holds up the thread that waits for it, so transfers with a file have
  // threads of their own.
  enum class Kind { kSockets, kFiles };

  // `reactor` is the owner's, and is woken for what ends. `socket_threads` at most for connections.
  TransferPool(Reactor* reactor, size_t socket_threads)
      : outbox_(reactor), at_most_{socket_threads, kFileThreads} {}

  // The thread that has the least to do; it counts as having one transfer more until Done.
  Result<TransferThread*> Pick(Kind kind);
  void Done(TransferThread* thread);
  // Tells in the owner's next turn what has ended since.
  void Deliver() { outbox_.Deliver(); }
  // Ends every thread. Nobody is told; nothing may begin any more.
  void StopAll();

 private:
  static constexpr size_t kFileThreads = 4;

  struct Member {
    std::unique_ptr<TransferThread> thread;
    size_t transfers = 0;
  };
  using Members = std::vector<Member>;

  static Member* LeastBusy(Members* members);
  Status AddThread(Members* members);

  Outbox outbox_;
  std::array<size_t, 2> at_most_;
  std::array<Members, 2> members_;  // after the outbox, to which they push
};

}  // namespace spliceway
