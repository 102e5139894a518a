// An I/O thread with what transfers need there: ports and pipes.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "io/io_thread.h"
#include "io/outbox.h"
#include "io/port.h"
#include "relay/pipe_cache.h"
#include "relay/transfer.h"

namespace spliceway {

class TransferThread {
 public:
  // What is over is told through the outbox, which outlives the thread.
  static Result<std::unique_ptr<TransferThread>> Start(Outbox* outbox);
  // Stops what still runs; nobody is told.
  ~TransferThread();

  // From the owner's thread. A transfer belongs to the thread that was the first to get it, until
  // its owner is told that it is over.
  void Begin(std::shared_ptr<Transfer> transfer, int flow, FlowOptions options);
  void Nudge(std::shared_ptr<Transfer> transfer, int flow);
  void SetExpired(std::shared_ptr<Transfer> transfer, int flow, Side side, bool expired);
  void Stop(std::shared_ptr<Transfer> transfer);

  // For transfers, on this thread.
  Reactor& reactor() { return io_->reactor(); }
  PipeCache& pipes() { return pipes_; }
  Ports& ports() { return *ports_; }
  void Finished(Transfer* transfer);

 private:
  explicit TransferThread(Outbox* outbox) : outbox_(outbox) {}

  void Keep(const std::shared_ptr<Transfer>& transfer);
  void StopAll();
  void TellFinished();

  Outbox* outbox_;
  PipeCache pipes_;
  std::optional<Ports> ports_;
  std::unordered_map<Transfer*, std::shared_ptr<Transfer>> active_;
  std::vector<std::shared_ptr<Transfer>> finished_;  // until nothing of them is on the stack
  std::unique_ptr<IoThread> io_;
};

}  // namespace spliceway
