// The two clocks, in nanoseconds.
#pragma once

#include <cstdint>

namespace spliceway {

inline constexpr int64_t kNever = INT64_MAX;

int64_t MonotonicNow();  // never jumps: what deadlines and timers are measured on
int64_t WallNow();       // since the Unix epoch: only to translate a caller's deadline

// Whether the instant of the monotonic clock has come. Cheap where it is far ahead.
bool HasPassed(int64_t monotonic_ns);
// A wall-clock time on the monotonic clock, as both stand now; never earlier than it.
int64_t MonotonicAt(int64_t wall_ns);

}  // namespace spliceway
