#include "relay/pipe_cache.h"

#include <utility>

namespace spliceway {

PipeBudget& PipeBudget::OfProcess() {
  static PipeBudget budget(sys::PipeBudget());
  return budget;
}

// A size is handed out while all that is taken stays within its share of the budget: half of it
// for the largest pipes, three quarters for half that size, seven eighths for the smallest.
size_t PipeBudget::Take(size_t wanted) {
  size_t share = bytes_ / 2;
  for (size_t size = wanted; size >= PipeCache::kSmallest; size /= 2) {
    const size_t before = taken_.fetch_add(size, std::memory_order_relaxed);
    if (before + size <= share) return size;
    taken_.fetch_sub(size, std::memory_order_relaxed);
    share += (bytes_ - share) / 2;
  }
  return 0;
}

void PipeBudget::GiveBack(size_t bytes) { taken_.fetch_sub(bytes, std::memory_order_relaxed); }

PipeCache::~PipeCache() {
  for (sys::PipeFds& pipe : idle_) Discard(std::move(pipe));
}

std::optional<sys::PipeFds> PipeCache::Take() {
  if (!idle_.empty()) {
    sys::PipeFds pipe = std::move(idle_.back());
    idle_.pop_back();
    return pipe;
  }
  const size_t granted = budget_->Take(kPipeSize);
  if (granted == 0) return std::nullopt;
  auto pipe = sys::OpenPipe(granted);
  // Other programs of this user may have used the budget up all the same.
  if (!pipe.ok() || pipe.value().capacity < kSmallest) {
    budget_->GiveBack(granted);
    return std::nullopt;
  }
  pipe.value().granted = granted;
  return std::move(pipe.value());
}

void PipeCache::Return(sys::PipeFds pipe) {
  if (idle_.size() < kIdleAtMost)
    idle_.push_back(std::move(pipe));
  else
    Discard(std::move(pipe));
}

void PipeCache::Discard(sys::PipeFds pipe) { budget_->GiveBack(pipe.granted); }

std::span<char> PipeCache::CopyBuffer() {
  if (!copy_buffer_) copy_buffer_ = std::make_unique<char[]>(kCopyBuffer);
  return {copy_buffer_.get(), kCopyBuffer};
}

}  // namespace spliceway
