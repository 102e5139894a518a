#include "health/rtt_window.h"

#include <algorithm>

namespace spliceway {
namespace {

// The value below which the share `q` of the sorted values lies.
double Quantile(std::span<const uint32_t> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double low = sorted[below];
  return low + (at - static_cast<double>(below)) * (sorted[above] - low);
}

int64_t Nanoseconds(double micros) { return static_cast<int64_t>(micros * 1000); }

}  // namespace

void RttWindow::Add(int64_t rtt_ns) {
  last_ = std::max<int64_t>(rtt_ns, 0);
  micros_[next_] = static_cast<uint32_t>(std::min<int64_t>(last_ / 1000, UINT32_MAX));
  next_ = (next_ + 1) % kSize;
  count_ = std::min<uint8_t>(count_ + 1, kSize);

  std::array<uint32_t, kSize> copy = micros_;
  const std::span<uint32_t> sorted(copy.data(), count_);
  std::sort(sorted.begin(), sorted.end());
  median_ = Nanoseconds(Quantile(sorted, 0.5));
  iqr_ = Nanoseconds(Quantile(sorted, 0.75) - Quantile(sorted, 0.25));
}

}  // namespace spliceway
