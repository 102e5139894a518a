// The two clocks, in nanoseconds.
#pragma once

#include <cstdint>

namespace spliceway {

inline constexpr int64_t kNever = INT64_MAX;

int64_t MonotonicNow();  // never jumps: what deadlines and timers are measured on
int64_t WallNow();       // since the Unix epoch: only to translate a caller's deadline

}  // namespace spliceway
