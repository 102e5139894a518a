// Latencies, counted in buckets whose width grows with the value: each is at most 1/32 wide.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace bench {

class Histogram {
 public:
  void Add(int64_t ns) { buckets_[BucketOf(ns < 0 ? 0 : static_cast<uint64_t>(ns))] += 1; }

  int64_t count() const;
  // The upper end of the bucket that holds the given share (0 to 1) of the values; 0 if empty.
  int64_t Percentile(double share) const;

 private:
  // Below 2^kBits every value has a bucket; above, each power of two has 2^kBits of them.
  static constexpr int kBits = 5;
  static constexpr int kBuckets = (64 - kBits + 1) << kBits;

  static int BucketOf(uint64_t value) {
    const int shift = std::bit_width(value >> kBits);
    if (shift == 0) return static_cast<int>(value);
    // The leading one is left out of the value's own bits: it is what the shift says.
    const uint64_t fraction = (value >> (shift - 1)) & ((1u << kBits) - 1);
    return (shift << kBits) + static_cast<int>(fraction);
  }
  static int64_t UpperEnd(int bucket);

  std::array<int64_t, kBuckets> buckets_{};
};

}  // namespace bench
