// CRC-32 as zlib, Ethernet, PNG and gzip have it: the polynomial 0x04C11DB7 with its bits reversed,
// all ones before and after.
#pragma once

#include <cstdint>
#include <span>

namespace spliceway {

// Of `bytes`, or, where `crc` is the value of what came before them, of both together.
uint32_t Crc32(std::span<const uint8_t> bytes, uint32_t crc = 0);

}  // namespace spliceway
