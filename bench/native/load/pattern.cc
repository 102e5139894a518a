#include "pattern.h"

#include <cinttypes>
#include <cstring>
#include <random>

#include "fail.h"

namespace bench {

Pattern::Pattern(int64_t longest) : bytes_(static_cast<size_t>(kPeriod + longest)) {
  std::minstd_rand random;
  for (size_t i = 0; i < bytes_.size(); i++) {
    bytes_[i] = i < kPeriod ? static_cast<char>(random() >> 8) : bytes_[i - kPeriod];
  }
}

void Pattern::Check(int connection, int64_t position, const char* received, int64_t length) const {
  const char* expected = At(connection, position);
  if (std::memcmp(received, expected, static_cast<size_t>(length)) == 0) return;
  int64_t i = 0;
  while (received[i] == expected[i]) i++;
  Fail("connection %d: byte %" PRId64 " came back as 0x%02x instead of 0x%02x", connection,
       position + i, static_cast<unsigned char>(received[i]),
       static_cast<unsigned char>(expected[i]));
}

}  // namespace bench
