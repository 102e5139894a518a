// The share of what was sent that was lost, of late: each report counts less than the one after it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace spliceway {

class LossShare {
 public:
  // What is left of earlier reports at each new one.
  explicit LossShare(double decay) : decay_(static_cast<float>(decay)) {}

  void Add(uint64_t sent, uint64_t lost) {
    sent_ = sent_ * decay_ + static_cast<float>(sent);
    lost_ = lost_ * decay_ + static_cast<float>(std::min(sent, lost));
  }

  // 0 to 1. Of less than 64 no share can be told: as if the rest had arrived.
  double share() const { return static_cast<double>(lost_ / std::max(sent_, kEnough)); }

 private:
  static constexpr float kEnough = 64;

  float decay_;
  float sent_ = 0;
  float lost_ = 0;
};

}  // namespace spliceway
