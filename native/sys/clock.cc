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

int64_t Now(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);  // cannot fail for these two clocks
  return int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

}  // namespace

int64_t MonotonicNow() { return Now(kMonotonic); }
int64_t WallNow() { return Now(CLOCK_REALTIME); }

}  // namespace spliceway
