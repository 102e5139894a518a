// Bytes in which a lost, doubled or moved one shows.
#pragma once

#include <string>

namespace spliceway::test {

inline std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
  return bytes;
}

}  // namespace spliceway::test
