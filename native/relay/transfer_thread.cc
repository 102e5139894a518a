#include "relay/transfer_thread.h"

#include <utility>

namespace spliceway {

Result<std::unique_ptr<TransferThread>> TransferThread::Start(Outbox* outbox) {
  std::unique_ptr<TransferThread> self(new TransferThread(outbox));
  auto io = IoThread::Start([raw = self.get()] { raw->TellFinished(); });
  if (!io.ok()) return io.error();
  self->io_ = std::move(io.value());
  self->ports_.emplace(&self->io_->reactor());
  return self;
}

TransferThread::~TransferThread() {
  if (!io_) return;
  io_->Post([this] { StopAll(); });
  io_->Join();
}

void TransferThread::Begin(std::shared_ptr<Transfer> transfer, int flow, FlowOptions options) {
  io_->Post([this, transfer = std::move(transfer), flow, options = std::move(options)] {
    Keep(transfer);
    transfer->Begin(this, flow, options);
  });
}

void TransferThread::Nudge(std::shared_ptr<Transfer> transfer, int flow) {
  io_->Post([transfer = std::move(transfer), flow] { transfer->Nudge(flow); });
}

void TransferThread::SetExpired(std::shared_ptr<Transfer> transfer, int flow, Side side,
                                bool expired) {
  io_->Post([transfer = std::move(transfer), flow, side, expired] {
    transfer->SetExpired(flow, side, expired);
  });
}

void TransferThread::Stop(std::shared_ptr<Transfer> transfer) {
  io_->Post([this, transfer = std::move(transfer)] {
    Keep(transfer);
    transfer->Stop(this);
  });
}

// One that is over has nothing more to do here, whatever was posted meanwhile.
void TransferThread::Keep(const std::shared_ptr<Transfer>& transfer) {
  if (!transfer->finished()) active_.emplace(transfer.get(), transfer);
}

void TransferThread::Finished(Transfer* transfer) {
  const auto found = active_.find(transfer);
  finished_.push_back(std::move(found->second));
  active_.erase(found);
}

void TransferThread::StopAll() {
  const auto all = active_;
  for (const auto& [raw, transfer] : all) transfer->Stop(this);
}

void TransferThread::TellFinished() {
  if (finished_.empty()) return;
  std::vector<int32_t> ids;
  for (const auto& transfer : finished_) ids.push_back(transfer->id());
  finished_.clear();
  outbox_->Push(ids);
}

}  // namespace spliceway
