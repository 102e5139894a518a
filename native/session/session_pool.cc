#include "session/session_pool.h"

#include <algorithm>
#include <utility>

namespace spliceway {

Result<SessionThread*> SessionPool::Pick() {
  Member* member = LeastBusy();
  const bool idle = member != nullptr && member->sessions == 0;
  if (!idle && members_.size() < at_most_) {
    auto thread = SessionThread::Start(&outbox_, gauge_);
    // One that is busy is better than none.
    if (!thread.ok() && members_.empty()) return thread.error();
    if (thread.ok()) members_.push_back({std::move(thread.value()), 0});
    member = LeastBusy();
  }
  ++member->sessions;
  return member->thread.get();
}

void SessionPool::Done(SessionThread* thread) {
  for (Member& member : members_) {
    if (member.thread.get() == thread) --member.sessions;
  }
}

SessionPool::Member* SessionPool::LeastBusy() {
  const auto least =
      std::min_element(members_.begin(), members_.end(),
                       [](const Member& a, const Member& b) { return a.sessions < b.sessions; });
  return least == members_.end() ? nullptr : &*least;
}

}  // namespace spliceway
