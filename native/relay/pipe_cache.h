// Pipes to splice through, lent and taken back. One thread's own.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "sys/zero_copy.h"

namespace spliceway {

class PipeCache {
 public:
  // Large enough that filling and draining it pays for the two calls, small enough that its pages
  // stay in the processor's cache: measured in docs/decisions/004.
  static constexpr size_t kPipeSize = 256 * 1024;

  // Nothing when there is none to be had: the caller copies instead.
  std::optional<sys::PipeFds> Take();
  // Only an empty pipe may come back; one with bytes in it would hand them to a stranger.
  void Return(sys::PipeFds pipe);

  size_t idle() const { return idle_.size(); }

 private:
  static constexpr size_t kIdleAtMost = 16;

  std::vector<sys::PipeFds> idle_;
};

}  // namespace spliceway
