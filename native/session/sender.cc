#include "session/sender.h"

#include <algorithm>
#include <cerrno>

#include "sys/io.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

// Whole frames that go in one system call; a control frame waits for no more of small ones.
constexpr size_t kRun = 64 * 1024;

}  // namespace

Sender::After Sender::Put(std::span<const Bytes> frames, bool* waits) {
  const std::lock_guard lock(mutex_);
  *waits = false;
  if (closed_ || error_ != 0) return After::kNothing;
  for (const Bytes bytes : frames) data_.Put(bytes);
  const After after = FlushLocked();
  waited_for_ = *waits = !data_.empty();
  return after;
}

Sender::After Sender::Finish() {
  const std::lock_guard lock(mutex_);
  finishing_ = true;
  return FlushLocked();
}

Sender::After Sender::SayPing(const Beat& ping) {
  const std::lock_guard lock(mutex_);
  ping_ = ping;
  return FlushLocked();
}

Sender::After Sender::SayPong(const Beat& pong) {
  const std::lock_guard lock(mutex_);
  pong_ = pong;
  return FlushLocked();
}

Sender::After Sender::SayCredit(uint32_t bytes) {
  const std::lock_guard lock(mutex_);
  grant_ += bytes;
  return FlushLocked();
}

// A peer may grant whatever it likes.
Sender::After Sender::Allow(uint32_t bytes) {
  constexpr uint64_t kMost = UINT64_MAX / 2;
  const std::lock_guard lock(mutex_);
  if (window_ == 0) window_ = bytes;
  credit_ = std::min(credit_ + bytes, kMost);
  return FlushLocked();
}

Sender::After Sender::NoMoreCredit() {
  const std::lock_guard lock(mutex_);
  more_credit_ = false;
  return FlushLocked();
}

Sender::After Sender::Flush() {
  const std::lock_guard lock(mutex_);
  return FlushLocked();
}

void Sender::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

int Sender::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

bool Sender::has_to_say() const {
  const std::lock_guard lock(mutex_);
  return ping_ || !control_.empty();
}

uint64_t Sender::sent() const {
  const std::lock_guard lock(mutex_);
  return sent_;
}

uint64_t Sender::credit() const {
  const std::lock_guard lock(mutex_);
  return credit_;
}

Sender::After Sender::FlushLocked() {
  if (closed_ || error_ != 0) return After::kNothing;
  for (;;) {
    size_t left = control_.size();
    if (run_ > 0) {
      const size_t before = run_;
      const bool more = SendSome(&data_, run_, &run_);
      sent_ += before - run_;
      if (!more) break;
    } else if (left > 0) {
      if (!SendSome(&control_, left, &left)) break;
    } else if (ping_ || pong_ || grant_ > 0) {
      FillControl();
    } else if (!NextRun()) {
      break;
    }
  }
  return FinishLocked();
}

// Sends from the front of the queue; whether there may be room for more.
bool Sender::SendSome(ByteQueue* queue, size_t n, size_t* left) {
  const int64_t sent = sys::Send(fd_, queue->bytes().data(), n);
  if (sent == -EAGAIN) return false;
  if (sent < 0) {
    error_ = static_cast<int>(-sent);
    return false;
  }
  queue->Drop(static_cast<size_t>(sent));
  *left = n - static_cast<size_t>(sent);
  return true;
}

void Sender::FillControl() {
  constexpr uint64_t kMost = UINT32_MAX;
  if (pong_) wire_.PutBeat(Wire::kPong, *pong_, &control_);
  const auto grant = static_cast<uint32_t>(std::min(grant_, kMost));
  if (grant > 0) wire_.PutCredit(grant, &control_);
  if (ping_) wire_.PutBeat(Wire::kPing, *ping_, &control_);
  pong_.reset();
  ping_.reset();
  grant_ -= grant;
}

// Clears whole frames for sending, as far as the credit goes.
bool Sender::NextRun() {
  const Bytes data = data_.bytes();
  while (run_ < kRun && data.size() - run_ >= wire_.head()) {
    const size_t size = wire_.SizeOf(data.subspan(run_));
    if (window_ > 0 && size > window_) error_ = EMSGSIZE;
    if (size > credit_ && !more_credit_ && run_ == 0) error_ = EPIPE;
    if (size > credit_ || run_ + size > data.size()) break;
    run_ += size;
    credit_ -= size;
  }
  return run_ > 0;
}

Sender::After Sender::FinishLocked() {
  if (error_ != 0) return After::kFailed;
  if (!data_.empty()) return After::kNothing;
  if (finishing_ && control_.empty()) {
    finishing_ = false;
    closed_ = true;  // behind the FIN there is nothing to be said
    (void)sys::Shutdown(fd_, sys::ShutdownHow::kWrite).ok();
  }
  const bool tell = waited_for_;
  waited_for_ = false;
  return tell ? After::kTell : After::kNothing;
}

}  // namespace spliceway
