#include "relay/pipe_cache.h"

#include <utility>

namespace spliceway {

std::optional<sys::PipeFds> PipeCache::Take() {
  if (!idle_.empty()) {
    sys::PipeFds pipe = std::move(idle_.back());
    idle_.pop_back();
    return pipe;
  }
  auto pipe = sys::OpenPipe(kPipeSize);
  if (!pipe.ok()) return std::nullopt;
  return std::move(pipe.value());
}

void PipeCache::Return(sys::PipeFds pipe) {
  if (idle_.size() < kIdleAtMost) idle_.push_back(std::move(pipe));
}

}  // namespace spliceway
