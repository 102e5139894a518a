// A transfer as its owner's reactor knows it: what was lent for it, and where it runs.
#pragma once

#include <array>
#include <memory>

#include "core/stream.h"
#include "relay/transfer_pool.h"

namespace spliceway {

// Awaits its one notice, kNoticeReadable, from its making on; it comes when the transfer is over.
// It keeps the process alive only while it is being stopped: until then the connections that are
// lent do, or do not, as they are referenced.
class TransferHandle final : public Pollable {
 public:
  static constexpr Type kType = Type::kTransfer;

  // One end: a connection of the owner's reactor, or a file's descriptor, which is this handle's.
  struct End {
    int32_t stream = -1;
    OwnFd file;
  };

  TransferHandle(Reactor* reactor, TransferPool* pool, End a, End b)
      : Pollable(kType, reactor, OwnFd()), pool_(pool), ends_{std::move(a), std::move(b)} {}
  ~TransferHandle() override;

  // Once the reactor has adopted it.
  Status Start(const TransferOptions& options);

  // Which of a flow's two ends refuses, and why: a code of core/status.h.
  struct Refusal {
    int32_t at_source = 0;
    int32_t at_sink = 0;
  };
  Refusal Begin(int flow, FlowOptions options);
  void Nudge(int flow) { thread_->Nudge(transfer_, flow); }
  // Whether the deadline of a side has passed. One that was moved will be told of anew.
  void SetExpired(int flow, Side side, bool expired);
  void Stop();

  uint64_t delivered(int flow) const { return transfer_->delivered(flow); }
  // After the notice.
  const TransferResult& result() const { return transfer_->result(); }
  // After the notice: gives back what was lent.
  Status ReturnLoans();

 private:
  // What is lent of an end.
  struct Loan {
    bool sides[2] = {};
    std::shared_ptr<Lease> lease;
  };

  Stream* StreamAt(int end) const;
  TransferEnd EndAt(int end) const;
  int32_t RefusalOf(int end, Side side) const;
  void Borrow(int end, Side side);
  Status TakeBack(int end, Side side);

  TransferPool* pool_;
  std::array<End, 2> ends_;
  TransferThread* thread_ = nullptr;
  std::shared_ptr<Transfer> transfer_;
  std::array<Loan, 2> loans_;
};

}  // namespace spliceway
