// A relay or a copy on an I/O thread: its flows, its timeouts, and what becomes of it.
//
//   copy     one flow, from end 0 to end 1
//   relay    two flows, one each way. When one comes to the end of its source, the FIN is
//            passed on; when both have, or when something fails, or nothing moves for too long,
//            it is over.
//
//                  first Begin              a flow's end is passed on
//       Waiting ───────────────▶ Running ────────────────────────────▶ Half-closed
//          │ Stop                   │ end, failure, idle, limit, Stop      │
//          ▼                        ▼                                      ▼
//       Finished ◀─────────────────────────────────────────────────────────┘
//
// It never closes a descriptor: they are borrowed. It shuts connections down when a relay ends
// otherwise than by both FINs, so that the peers know although JavaScript may be busy.
#pragma once

#include <cstdint>
#include <memory>

#include "core/timer_wheel.h"
#include "relay/flow.h"

namespace spliceway {

struct TransferOptions {
  bool relay = false;
  int64_t idle_ns = 0;        // 0: for ever
  int64_t half_close_ns = 0;  // in place of idle_ns once one FIN has been passed on; 0: the same
};

struct TransferResult {
  enum class Reason : int32_t { kEnd, kFailed, kIdle, kHalfClosed, kLimit, kStopped };

  Reason reason = Reason::kEnd;
  int32_t ended_by = -1;  // the end that was over first; -1: neither
  // The failure that came first, if any.
  int32_t error = 0;  // errno, or -kExpired
  int32_t failed_flow = -1;
  bool failed_at_sink = false;
};

class Transfer final : private Flow::Owner, private TimerOwner {
 public:
  // `id` is what the owner is told when it is over.
  Transfer(int32_t id, TransferEnd a, TransferEnd b, const TransferOptions& options)
      : id_(id), options_(options), flows_{Flow(this, 0, a, b), Flow(this, 1, b, a)} {}

  int32_t id() const { return id_; }
  // From any thread: bytes that the sink of that flow has taken.
  uint64_t delivered(int flow) const { return flows_[flow].delivered(); }
  // Once the owner has been told.
  const TransferResult& result() const { return result_; }

  // On the thread that it then belongs to.
  void Begin(TransferThread* thread, int flow, const FlowOptions& options);
  void Nudge(int flow) { flows_[flow].Nudge(); }
  void SetExpired(int flow, Side side, bool expired) { flows_[flow].SetExpired(side, expired); }
  void Stop(TransferThread* thread);
  bool finished() const { return finished_; }

 private:
  void OnMoved() override;
  void OnEnded(Flow& flow, Pump::Status status) override;
  void OnTimer(int which) override;

  void Passed(Flow& flow);
  void Failed(Flow& flow, bool at_sink);
  int64_t patience() const;
  void WatchForIdleness();
  void Finish(TransferResult::Reason reason);
  void TellPeers();
  int flows() const { return options_.relay ? 2 : 1; }

  int32_t id_;
  TransferOptions options_;
  Flow flows_[2];  // a copy has the first
  TransferThread* thread_ = nullptr;
  Timer idle_{this, 0};
  int64_t moved_at_ = 0;
  int over_ = 0;              // flows that have ended
  bool half_closed_ = false;  // one of them for the end of its source
  bool finished_ = false;
  TransferResult result_;
};

}  // namespace spliceway
