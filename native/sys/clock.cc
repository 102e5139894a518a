#include "sys/clock.h"

#include <ctime>

namespace spliceway {
namespace {

int64_t Now(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);  // cannot fail for these two clocks
  return int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

}  // namespace

int64_t MonotonicNow() { return Now(CLOCK_MONOTONIC); }
int64_t WallNow() { return Now(CLOCK_REALTIME); }

}  // namespace spliceway
