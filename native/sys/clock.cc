#include "sys/clock.h"

#include <ctime>

namespace spliceway {
namespace {

#ifdef __APPLE__
// CLOCK_MONOTONIC is the wall clock less the time of boot there: it counts in microseconds, and
// both it is made of change when the clock is set. Both go on while the machine sleeps.
constexpr clockid_t kMonotonic = CLOCK_MONOTONIC_RAW;
#else
constexpr clockid_t kMonotonic = CLOCK_MONOTONIC;
#endif

// The monotonic clock as of the kernel's last tick: a quarter of the price, and late by a tick (10
// ms at most), never early.
#if defined(CLOCK_MONOTONIC_COARSE)
constexpr clockid_t kCoarse = CLOCK_MONOTONIC_COARSE;
#elif defined(CLOCK_MONOTONIC_RAW_APPROX)
constexpr clockid_t kCoarse = CLOCK_MONOTONIC_RAW_APPROX;
#elif defined(CLOCK_MONOTONIC_FAST)
constexpr clockid_t kCoarse = CLOCK_MONOTONIC_FAST;
#else
constexpr clockid_t kCoarse = kMonotonic;
#endif
constexpr int64_t kFarAhead = 50'000'000;  // several ticks

// For how long the distance between the clocks is taken as given, and by how much the wall clock
// may be slewed meanwhile (at most 500 ppm).
constexpr int64_t kOffsetAge = 4'000'000;
constexpr int64_t kSlew = 2'000;

int64_t Now(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);  // cannot fail for these two clocks
  return int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

}  // namespace

int64_t MonotonicNow() { return Now(kMonotonic); }
int64_t WallNow() { return Now(CLOCK_REALTIME); }

bool HasPassed(int64_t monotonic_ns) {
  if (monotonic_ns == kNever) return false;
  return monotonic_ns <= Now(kCoarse) + kFarAhead && monotonic_ns <= MonotonicNow();
}

// Deadlines are set by the hundred thousand in a second, so that reading two clocks for each would
// be most of what they cost.
int64_t MonotonicAt(int64_t wall_ns) {
  thread_local int64_t offset = 0;
  thread_local int64_t good_until = 0;
  const int64_t now = Now(kCoarse);
  if (now >= good_until) {
    // The wall clock first: what passes between the two readings makes the result later.
    const int64_t wall = WallNow();
    offset = MonotonicNow() - wall;
    good_until = now + kOffsetAge;
  }
  return wall_ns + offset + kSlew;
}

}  // namespace spliceway
