#include "session/inbox.h"

#include <algorithm>
#include <cstring>

#include "core/status.h"

namespace spliceway {

// Half the window is worth a frame of credit. Where that would leave less than the largest frame,
// the peer might wait for credit while the owner waits for the frame.
Inbox::Inbox(size_t window, size_t largest)
    : window_(window), threshold_(std::min(window / 2, window - largest)), granted_(window) {}

bool Inbox::Put(std::span<const uint8_t> frames) {
  const std::lock_guard lock(mutex_);
  if (frames.size() > granted_) return false;
  granted_ -= frames.size();
  frames_.Put(frames);
  return true;
}

void Inbox::PutRest(std::span<const uint8_t> first, std::span<const uint8_t> second) {
  const std::lock_guard lock(mutex_);
  frames_.Put(first);
  frames_.Put(second);
}

void Inbox::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

bool Inbox::TakeWaiter() {
  const std::lock_guard lock(mutex_);
  const bool tell = waited_for_ && (ended_ || !frames_.empty());
  if (tell) waited_for_ = false;
  return tell;
}

int64_t Inbox::Take(std::span<uint8_t> into) {
  const std::lock_guard lock(mutex_);
  if (frames_.empty()) {
    if (ended_) return 0;
    waited_for_ = true;
    return kAgain;
  }
  const size_t n = std::min(into.size(), frames_.size());
  std::memcpy(into.data(), frames_.bytes().data(), n);
  frames_.Drop(n);
  consumed_ += n;
  return static_cast<int64_t>(n);
}

uint32_t Inbox::TakeGrant() {
  const std::lock_guard lock(mutex_);
  if (ended_ || consumed_ == 0 || consumed_ < threshold_) return 0;
  const size_t grant = std::min<size_t>(consumed_, UINT32_MAX);
  consumed_ -= grant;
  granted_ += grant;
  return static_cast<uint32_t>(grant);
}

}  // namespace spliceway
