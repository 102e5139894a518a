// An I/O thread with what sessions need there.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "io/io_thread.h"
#include "io/outbox.h"
#include "io/port.h"
#include "session/loop_gauge.h"
#include "session/session.h"

namespace spliceway {

class SessionThread {
 public:
  // What there is to tell goes through the outbox. It and the gauge, which is the owner's loop's,
  // outlive the thread.
  static Result<std::unique_ptr<SessionThread>> Start(Outbox* outbox, LoopGauge* gauge);
  // Stops what still runs; nobody is told.
  ~SessionThread();

  // From the owner's thread. A session belongs to the thread that was the first to get it, until
  // it has finished and the owner has been told.
  void Begin(std::shared_ptr<Session> session);
  void Stop(std::shared_ptr<Session> session);
  void Finish(std::shared_ptr<Session> session);
  void Follow(std::shared_ptr<Session> session, Sender::After after);
  void SetInterval(std::shared_ptr<Session> session, int64_t interval);

  // For sessions, on this thread.
  Reactor& reactor() { return io_->reactor(); }
  Ports& ports() { return *ports_; }
  std::span<uint8_t> scratch() { return scratch_; }
  int64_t StuckFor(int64_t now) { return gauge_->StuckFor(now); }
  // The owner has something to look at.
  void Tell(int32_t id) { news_.push_back(id); }
  void Finished(Session* session);

 private:
  static constexpr size_t kScratch = 64 * 1024;

  SessionThread(Outbox* outbox, LoopGauge* gauge) : outbox_(outbox), gauge_(gauge) {}

  void StopAll();
  void TellNews();

  Outbox* outbox_;
  LoopGauge* gauge_;
  std::optional<Ports> ports_;
  std::array<uint8_t, kScratch> scratch_;
  std::unordered_map<Session*, std::shared_ptr<Session>> active_;
  std::vector<std::shared_ptr<Session>> finished_;  // until nothing of them is on the stack
  std::vector<int32_t> news_;                       // of this turn, for one push
  std::unique_ptr<IoThread> io_;
};

}  // namespace spliceway
