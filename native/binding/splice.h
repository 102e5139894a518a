// Pumps that JavaScript drives a step at a time, on its own thread: pipe() of spliceway/net, which
// may have to go on by hand after any step.
#pragma once

#include "core/slot_table.h"
#include "relay/pipe_cache.h"
#include "relay/pump.h"

namespace spliceway {

struct SplicePool {
  PipeCache pipes;
  SlotTable<Pump> pumps;  // after the pipes, which they give back
};

}  // namespace spliceway
