// The last ten round trips.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace spliceway {

class RttWindow {
 public:
  static constexpr size_t kSize = 10;

  void Add(int64_t rtt_ns);

  size_t count() const { return count_; }
  // In microseconds, in no order.
  std::span<const uint32_t> all() const { return {micros_.data(), count_}; }
  // In nanoseconds, 0 while there is none. Quartiles between two of them are interpolated.
  int64_t last() const { return last_; }
  int64_t median() const { return median_; }
  int64_t iqr() const { return iqr_; }

 private:
  std::array<uint32_t, kSize> micros_{};  // next_ is the oldest of ten
  uint8_t next_ = 0;
  uint8_t count_ = 0;
  int64_t last_ = 0;
  int64_t median_ = 0;
  int64_t iqr_ = 0;
};

}  // namespace spliceway
