#include "relay/transfer_handle.h"

#include <cerrno>
#include <utility>

#include "core/reactor.h"

namespace spliceway {

TransferHandle::~TransferHandle() {
  if (thread_ != nullptr) pool_->Done(thread_);
}

Status TransferHandle::Start(const TransferOptions& options) {
  for (int end = 0; end < 2; ++end) {
    if (!ends_[end].file && StreamAt(end) == nullptr) return Error{"dup", EBADF};
  }
  const bool with_file = ends_[0].file || ends_[1].file;
  auto thread = pool_->Pick(with_file ? TransferPool::Kind::kFiles : TransferPool::Kind::kSockets);
  if (!thread.ok()) return thread.error();
  thread_ = thread.value();
  transfer_ = std::make_shared<Transfer>(id(), EndAt(0), EndAt(1), options);
  SetRef(false);
  SetAwait(Side::kRead, Await::kOnce);
  return {};
}

TransferHandle::Refusal TransferHandle::Begin(int flow, FlowOptions options) {
  const int source = flow;
  const int sink = 1 - flow;
  if (const int32_t refused = RefusalOf(sink, Side::kWrite)) return {0, refused};
  if (const int32_t refused = RefusalOf(source, Side::kRead)) return {refused, 0};
  Borrow(source, Side::kRead);
  Borrow(sink, Side::kWrite);
  thread_->Begin(transfer_, flow, std::move(options));
  return {};
}

void TransferHandle::SetExpired(int flow, Side side, bool expired) {
  thread_->SetExpired(transfer_, flow, side, expired);
  const int end = side == Side::kRead ? flow : 1 - flow;
  // The line that the old deadline ended has stopped to await a new one.
  Stream* stream = ends_[end].file ? nullptr : StreamAt(end);
  if (!expired && stream != nullptr) stream->SetAwait(side, Await::kAlways);
}

void TransferHandle::Stop() {
  SetRef(true);
  thread_->Stop(transfer_);
}

Status TransferHandle::ReturnLoans() {
  Status status;
  for (int end = 0; end < 2; ++end) {
    for (const Side side : {Side::kRead, Side::kWrite}) {
      if (const Status taken = TakeBack(end, side); !taken.ok()) status = taken;
    }
    loans_[end] = {};
  }
  return status;
}

Status TransferHandle::TakeBack(int end, Side side) {
  if (!loans_[end].sides[static_cast<int>(side)]) return {};
  Stream* stream = StreamAt(end);
  if (stream == nullptr) return {};  // closed: the lease closes its descriptor
  return stream->TakeBack(side);
}

Stream* TransferHandle::StreamAt(int end) const {
  return static_cast<Stream*>(reactor().Find(ends_[end].stream));
}

TransferEnd TransferHandle::EndAt(int end) const {
  if (ends_[end].file) return {ends_[end].file.get(), Pump::Kind::kFile};
  return {StreamAt(end)->fd(), Pump::Kind::kSocket};
}

int32_t TransferHandle::RefusalOf(int end, Side side) const {
  if (ends_[end].file) return 0;
  Stream* stream = StreamAt(end);
  return stream == nullptr ? kClosed : stream->Begin(side, Call::kNew);
}

void TransferHandle::Borrow(int end, Side side) {
  if (ends_[end].file) return;
  loans_[end].sides[static_cast<int>(side)] = true;
  loans_[end].lease = StreamAt(end)->Lend(side);
}

}  // namespace spliceway
