#include "histogram.h"

#include <cmath>
#include <numeric>

namespace bench {

int64_t Histogram::count() const {
  return std::accumulate(buckets_.begin(), buckets_.end(), int64_t{0});
}

int64_t Histogram::Percentile(double share) const {
  const auto wanted = static_cast<int64_t>(std::ceil(share * static_cast<double>(count())));
  int64_t seen = 0;
  for (int bucket = 0; bucket < kBuckets; bucket++) {
    seen += buckets_[bucket];
    if (seen > 0 && seen >= wanted) return UpperEnd(bucket);
  }
  return 0;
}

int64_t Histogram::UpperEnd(int bucket) {
  const int shift = bucket >> kBits;
  const int64_t fraction = bucket & ((1 << kBits) - 1);
  if (shift == 0) return fraction;
  return (((int64_t{1} << kBits) + fraction + 1) << (shift - 1)) - 1;
}

}  // namespace bench
