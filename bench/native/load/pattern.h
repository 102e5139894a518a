// The bytes that are sent, and the check that what comes back is the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

// A connection sends the same random bytes over and over. The period is a prime near 4 KiB, so no
// buffer size or message size is a multiple of it, and each connection begins at a place of its
// own: bytes that are lost, doubled, swapped or another connection's do not match. All lie in one
// stretch of memory, so that sending needs no copy and checking is one memcmp.
class Pattern {
 public:
  // @param longest run of bytes that At() is asked for
  explicit Pattern(int64_t longest);

  // The byte at `position` of the connection with this number, and what follows it.
  const char* At(int connection, int64_t position) const {
    return bytes_.data() + (position + int64_t{connection} * kStep) % kPeriod;
  }

  // Ends the process where the bytes received differ.
  void Check(int connection, int64_t position, const char* received, int64_t length) const;

 private:
  static constexpr int64_t kPeriod = 4093;
  static constexpr int64_t kStep = 1009;

  std::vector<char> bytes_;
};

}  // namespace bench
