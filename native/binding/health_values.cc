#include "binding/health_values.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sys/clock.h"

namespace spliceway {
namespace {

constexpr double kMs = 1e6;

double Milliseconds(int64_t ns) { return static_cast<double>(ns) / kMs; }

void Set(double value, int64_t* duration) { *duration = static_cast<int64_t>(value * kMs); }
void Set(double value, int* count) { *count = static_cast<int>(value); }
void Set(double value, double* number) { *number = value; }

}  // namespace

HealthOptions HealthOptionsFrom(std::span<const double> values) {
  HealthOptions o;
  size_t i = 0;
  const auto set = [&](auto* field) {
    const double value = i < values.size() ? values[i] : NAN;
    ++i;
    if (!std::isnan(value)) Set(value, field);
  };
  set(&o.interval);
  set(&o.jitter);
  set(&o.rtt_weight);
  set(&o.reply_factor);
  set(&o.k);
  set(&o.reply_floor);
  set(&o.reply_cap);
  set(&o.degraded_after);
  set(&o.stalled_after);
  set(&o.late_after);
  set(&o.success_weight);
  set(&o.rtt_shift_weight);
  set(&o.loss_weight);
  set(&o.shift_sigmas);
  set(&o.shift_least);
  set(&o.shift_windows);
  set(&o.loss_threshold);
  set(&o.healing_below);
  return o;
}

void PutFigures(const HealthFigures& f, std::span<double> values) {
  const double silent = Milliseconds(std::max<int64_t>(MonotonicNow() - f.silent_since, 0));
  const std::array all = {
      static_cast<double>(f.health),
      f.healing ? 1.0 : 0.0,
      f.probing ? 1.0 : 0.0,
      f.score,
      f.success,
      f.rtt_shifted ? 1.0 : 0.0,
      f.loss,
      f.ping_loss,
      f.segment_loss,
      Milliseconds(f.interval),
      Milliseconds(f.reply_timeout),
      Milliseconds(f.rtt),
      Milliseconds(f.rtt_median),
      Milliseconds(f.rtt_iqr),
      Milliseconds(f.baseline_mean),
      Milliseconds(f.baseline_sigma),
      static_cast<double>(f.shifted_windows),
      static_cast<double>(f.failures),
      silent,
      Milliseconds(f.stuck_for),
      static_cast<double>(f.sent),
      static_cast<double>(f.answered),
      static_cast<double>(f.missed),
      static_cast<double>(f.late),
      static_cast<double>(f.late_turns),
  };
  std::copy_n(all.begin(), std::min(all.size(), values.size()), values.begin());
}

}  // namespace spliceway
