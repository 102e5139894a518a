// What Crc32 is made of. A state is the complement of a value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spliceway {

using Crc32Step = uint32_t (*)(uint32_t state, const uint8_t* bytes, size_t n);

// Runs everywhere.
uint32_t Crc32ByTable(uint32_t state, const uint8_t* bytes, size_t n);

// What the instructions of this processor make of it, asked while the program runs; null where it
// has none. Takes kCrc32AtLeast bytes and more. One file for each architecture.
Crc32Step Crc32InHardware();
inline constexpr size_t kCrc32AtLeast = 16;

}  // namespace spliceway
