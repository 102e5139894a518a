// What the model of health is told. Durations in nanoseconds; who makes one has checked the ranges.
#pragma once

#include <cstdint>

namespace spliceway {

struct HealthOptions {
  static constexpr int64_t kMs = 1'000'000;

  // PINGs, or samples of a plain stream: one every `interval`, each earlier by a random part of the
  // share `jitter` of it, and no more often than every `rtt_weight` round trips.
  int64_t interval = 5000 * kMs;
  double jitter = 0.1;  // 0 to 1
  double rtt_weight = 2;

  // How long a reply may take: max(reply_factor x median, median + k x IQR) of the last ten.
  double reply_factor = 1.5;
  double k = 1.5;
  int64_t reply_floor = 250 * kMs;
  int64_t reply_cap = 8000 * kMs;  // also the most that passes between `interval` and Lost

  int degraded_after = 3;              // misses in a row
  int64_t stalled_after = 1000 * kMs;  // how long the peer's JavaScript is stuck
  int64_t late_after = 100 * kMs;      // a turn that comes so much later than asked for is late

  // The score: three parts, each from 0 (bad) to 1, weighted. Their sum need not be 1.
  double success_weight = 0.40;
  double rtt_shift_weight = 0.35;
  double loss_weight = 0.25;
  double shift_sigmas = 2;        // a window of ten whose median is so far above the baseline
  int64_t shift_least = 1 * kMs;  // ... and at least so far
  int shift_windows = 3;          // so many of them running are a shift
  double loss_threshold = 0.03;   // above it PINGs follow each other faster
  double healing_below = 0.6;     // the score below which healing begins
};

}  // namespace spliceway
