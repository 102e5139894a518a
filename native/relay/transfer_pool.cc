#include "relay/transfer_pool.h"

#include <algorithm>
#include <utility>

namespace spliceway {

Result<TransferThread*> TransferPool::Pick(Kind kind) {
  Members& members = members_[static_cast<int>(kind)];
  Member* member = LeastBusy(&members);
  const bool idle = member != nullptr && member->transfers == 0;
  if (!idle && members.size() < at_most_[static_cast<int>(kind)]) {
    const Status added = AddThread(&members);
    // One that is busy is better than none.
    if (!added.ok() && members.empty()) return added.error();
    member = LeastBusy(&members);
  }
  ++member->transfers;
  return member->thread.get();
}

void TransferPool::Done(TransferThread* thread) {
  for (Members& members : members_) {
    for (Member& member : members) {
      if (member.thread.get() == thread) --member.transfers;
    }
  }
}

void TransferPool::StopAll() {
  for (Members& members : members_) members.clear();
}

TransferPool::Member* TransferPool::LeastBusy(Members* members) {
  const auto least =
      std::min_element(members->begin(), members->end(),
                       [](const Member& a, const Member& b) { return a.transfers < b.transfers; });
  return least == members->end() ? nullptr : &*least;
}

Status TransferPool::AddThread(Members* members) {
  auto thread = TransferThread::Start(&outbox_);
  if (!thread.ok()) return thread.error();
  members->push_back({std::move(thread.value()), 0});
  return {};
}

}  // namespace spliceway
