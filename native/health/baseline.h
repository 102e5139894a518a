// What round trips are like on this path in the long run, and whether they have become slower: the
// median of ten more than so many sigma above the baseline, in so many windows of ten running.
//
// A window that stands out is not learned from, so that an illness does not become the measure of
// health, unless it lasts for thirty windows: then that is what the path is like now.
#pragma once

#include <cstdint>

#include "health/options.h"
#include "health/rtt_window.h"

namespace spliceway {

class Baseline {
 public:
  // A round trip was added to the window.
  void Add(const RttWindow& window, const HealthOptions& options);

  // Windows running that stood out.
  int shifted_windows() const { return shifted_; }
  bool shifted(const HealthOptions& options) const { return shifted_ >= options.shift_windows; }

  // In nanoseconds, 0 at first.
  double mean() const { return mean_; }
  double sigma() const;

 private:
  bool StandsOut(double median, const HealthOptions& options) const;
  void Learn(double rtt);

  double mean_ = 0;
  double variance_ = 0;
  uint32_t learned_ = 0;  // round trips
  int in_window_ = 0;
  int shifted_ = 0;
};

}  // namespace spliceway
