#include "health/baseline.h"

#include <algorithm>
#include <cmath>

namespace spliceway {
namespace {

constexpr uint32_t kEnough = 3 * RttWindow::kSize;  // round trips to judge by
constexpr uint32_t kMemory = 256;                   // how far back the average reaches, at most
constexpr int kForGood = 30;                        // windows after which a shift is how things are

}  // namespace

void Baseline::Add(const RttWindow& window, const HealthOptions& options) {
  if (++in_window_ < static_cast<int>(RttWindow::kSize)) return;
  in_window_ = 0;
  const bool stands_out = StandsOut(static_cast<double>(window.median()), options);
  shifted_ = stands_out ? shifted_ + 1 : 0;
  if (shifted_ >= std::max(kForGood, options.shift_windows + 1)) *this = Baseline();
  if (shifted_ > 0) return;
  for (const uint32_t micros : window.all()) Learn(micros * 1000.0);
}

bool Baseline::StandsOut(double median, const HealthOptions& options) const {
  if (learned_ < kEnough) return false;
  const double least = std::max(options.shift_sigmas * sigma(),  //
                                static_cast<double>(options.shift_least));
  return median - mean_ > least;
}

// An average over all there were, and from kMemory of them on one that forgets.
void Baseline::Learn(double rtt) {
  learned_ = std::min(learned_ + 1, kMemory);
  const double weight = 1.0 / learned_;
  const double off = rtt - mean_;
  mean_ += weight * off;
  variance_ = (1 - weight) * (variance_ + weight * off * off);
}

double Baseline::sigma() const { return std::sqrt(variance_); }

}  // namespace spliceway
