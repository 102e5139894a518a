// Random numbers that a seed repeats: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
// number generators", 2014). Nobody is to be kept from guessing them.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace spliceway {

class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}

  // A sequence of its own for each list of numbers: of a seed, a connection, a direction, a use.
  static Chance Of(std::initializer_list<uint64_t> numbers) {
    uint64_t state = 0;
    for (const uint64_t number : numbers) state = Mix(state ^ (number + kGamma));
    return Chance(state);
  }

  // 0 or more, and less than 1.
  double Next() {
    state_ += kGamma;
    return static_cast<double>(Mix(state_) >> 11) * 0x1.0p-53;
  }

 private:
  static constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;

  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace spliceway
