// So many bytes a second: a bucket that fills at that rate and holds a tenth of a second's worth.
#pragma once

#include <algorithm>
#include <cstdint>

namespace spliceway {

class TokenBucket {
 public:
  // `rate` in bytes a second, above 0. The bucket is full at first.
  TokenBucket(uint64_t rate, int64_t now_ns)
      : rate_(rate), size_(std::max(static_cast<double>(rate) / 10, kSmallest)), at_(now_ns) {
    tokens_ = size_;
  }

  // How many bytes may pass now.
  uint64_t Available(int64_t now_ns) {
    const double seconds = static_cast<double>(now_ns - at_) / 1e9;
    tokens_ = std::min(size_, tokens_ + seconds * static_cast<double>(rate_));
    at_ = now_ns;
    return tokens_ > 0 ? static_cast<uint64_t>(tokens_) : 0;
  }

  void Spend(uint64_t bytes) { tokens_ -= static_cast<double>(bytes); }

  // When enough will be there to be worth a wake-up: half of the bucket.
  int64_t WorthItAt() const {
    const double missing = std::max(size_ / 2 - tokens_, 1.0);
    return at_ + static_cast<int64_t>(missing / static_cast<double>(rate_) * 1e9) + 1;
  }

 private:
  static constexpr double kSmallest = 1;

  uint64_t rate_;
  double size_;
  double tokens_ = 0;
  int64_t at_;
};

}  // namespace spliceway
