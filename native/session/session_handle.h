// A session as its owner's reactor knows it: the connection that was lent for it, and where it
// runs.
#pragma once

#include <memory>
#include <vector>

#include "core/stream.h"
#include "session/session_pool.h"

namespace spliceway {

// Its notice, kNoticeReadable, comes whenever there is something to look at: frames that were
// waited for, room that was waited for, a change of health, the end. It keeps no process alive, and
// neither does the loan: whoever waits says so of the connection (Pollable::SetAwait).
class SessionHandle final : public Pollable {
 public:
  static constexpr Type kType = Type::kSession;

  SessionHandle(Reactor* reactor, SessionPool* pool)
      : Pollable(kType, reactor, OwnFd()), pool_(pool) {}
  ~SessionHandle() override;

  // Once the reactor has adopted it. `refusal` is a code of core/status.h where the connection
  // cannot be lent.
  Status Start(Stream* stream, SessionOptions options, int32_t* refusal);

  // Whole frames, as Sender::Put.
  void Put(std::span<const Bytes> frames, bool* waits);
  // As Inbox::Take, and the peer is granted what that makes room for.
  int64_t Take(std::span<uint8_t> into);
  void Finish() { thread_->Finish(session_); }
  void SetInterval(int64_t interval) { thread_->SetInterval(session_, interval); }
  // Then the notice comes, and finished() is true. The process lives for that.
  void Stop();

  Session& session() { return *session_; }
  // Whether the thread has let go of the connection.
  bool finished() const { return session_->over(); }

 private:
  void Follow(Sender::After after);

  SessionPool* pool_;
  SessionThread* thread_ = nullptr;
  std::shared_ptr<Session> session_;
  std::shared_ptr<Lease> lease_;
};

}  // namespace spliceway
