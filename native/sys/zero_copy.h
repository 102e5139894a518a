// Moving bytes without taking them into the process: splice and sendfile.
//
// Results are a count, 0 at the end of the source, or a negative errno. kUnhandled means that this
// system, or this pair of descriptors, cannot do it that way; no byte has moved then, so falling
// back to reading and writing is always safe (the `handled` of Go's internal/poll.Splice).
#pragma once

#include <cstddef>
#include <cstdint>

#include "sys/fd.h"
#include "sys/result.h"

namespace spliceway::sys {

inline constexpr int64_t kUnhandled = -100'000;

// Socket or file into a pipe, or a pipe into a socket or file. Never blocks on the pipe; on a
// socket only as far as that is blocking itself.
int64_t Splice(int from, int to, size_t n);

// From the file's own position, which moves on; or from `*offset`, which moves on instead.
int64_t SendFile(int to, int file, size_t n, int64_t* offset = nullptr);

struct PipeFds {
  OwnFd read_end;
  OwnFd write_end;
  size_t capacity = 0;
  size_t granted = 0;  // what its keeper has it down for
};

// Non-blocking, with room for `wanted` bytes where the system allows it. A user has a budget of
// pipe memory (fs.pipe-user-pages-soft on Linux); past it a pipe comes out smaller, or is refused.
Result<PipeFds> OpenPipe(size_t wanted);

// Bytes that all pipes of this process's user may have; SIZE_MAX where nothing limits them.
size_t PipeBudget();

}  // namespace spliceway::sys
