// The names of socket options and of their levels, for callers who have the numbers from nowhere
// else: they differ from system to system, and Node has none of them.
#pragma once

#include <span>

namespace spliceway::sys {

struct NamedNumber {
  const char* name;
  int number;
};

// Those that this system has, as the headers of the build know them.
std::span<const NamedNumber> OptionNumbers();

}  // namespace spliceway::sys
