// A Pump as JavaScript sees it: its files are its own.
#pragma once

#include "relay/pump.h"
#include "sys/fd.h"

namespace spliceway {

// A file's descriptor is duplicated when the pump is made: the caller may close its FileHandle at
// any time, and the number could then be somebody else's.
struct PumpHandle {
  OwnFd source_file;  // empty where the source is a stream
  OwnFd sink_file;
  Pump pump;
};

}  // namespace spliceway
