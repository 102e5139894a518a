// Whether JavaScript comes back to its loop, or is stuck: told to the peer, which would otherwise
// hold a process that is busy for one that is well.
#pragma once

#include <cstdint>

namespace spliceway {

class LoopGauge {
 public:
  // From any thread: for how long the loop has neither waited for events nor gone round, in
  // nanoseconds; 0 where it waits.
  virtual int64_t StuckFor(int64_t now) = 0;

 protected:
  ~LoopGauge() = default;
};

}  // namespace spliceway
