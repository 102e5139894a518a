#include "session/session_handle.h"

#include <cerrno>
#include <utility>

#include "core/reactor.h"
#include "sys/clock.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

// What the kernel holds of what is not sent yet, so that a PING is not behind megabytes.
constexpr int kUnsentAtMost = 128 * 1024;

}  // namespace

SessionHandle::~SessionHandle() {
  if (thread_ != nullptr) pool_->Done(thread_);
}

Status SessionHandle::Start(Stream* stream, SessionOptions options, int32_t* refusal) {
  *refusal = stream->Begin(Side::kRead, Call::kResumed);
  if (*refusal != 0) return {};
  auto thread = pool_->Pick();
  if (!thread.ok()) return thread.error();
  thread_ = thread.value();
  // Where the system has no such limit its send buffer is one.
  if (stream->kind() == Stream::Kind::kTcp) {
    (void)sys::SetUnsentLimit(stream->fd(), kUnsentAtMost).ok();
  }
  session_ = std::make_shared<Session>(id(), stream->fd(), std::move(options), MonotonicNow());
  lease_ = stream->Lend(Side::kRead, Loan::kIdle);
  (void)stream->Lend(Side::kWrite, Loan::kIdle);
  stream->SetAwait(Side::kRead, Await::kNothing);
  stream->SetAwait(Side::kWrite, Await::kNothing);
  SetRef(false);
  SetAwait(Side::kRead, Await::kAlways);
  thread_->Begin(session_);
  return {};
}

void SessionHandle::Put(std::span<const Bytes> frames, bool* waits) {
  Follow(session_->sender().Put(frames, waits));
}

int64_t SessionHandle::Take(std::span<uint8_t> into) {
  const int64_t n = session_->inbox().Take(into);
  const uint32_t grant = session_->inbox().TakeGrant();
  if (grant > 0) Follow(session_->sender().SayCredit(grant));
  return n;
}

void SessionHandle::Stop() {
  SetRef(true);
  thread_->Stop(session_);
}

// To end the session is the thread's to do. So is to tell of room: a credit that the owner grants
// may have taken along the last of what it had put before.
void SessionHandle::Follow(Sender::After after) {
  if (after != Sender::After::kNothing) thread_->Follow(session_, after);
}

}  // namespace spliceway
