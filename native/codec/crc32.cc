#include "codec/crc32.h"

#include <array>

#include "codec/crc32_step.h"

namespace spliceway {
namespace {

constexpr uint32_t kPolynomial = 0xedb88320;  // reversed
constexpr size_t kSlices = 8;
constexpr size_t kHalf = kSlices / 2;

// kTables[0] carries one byte through the register, kTables[k] one that has k zero bytes behind it,
// so that eight bytes are looked up at once ("slicing-by-8", Kounavis & Berry 2005).
using Tables = std::array<std::array<uint32_t, 256>, kSlices>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t state = byte;
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = state;
  }
  for (size_t k = 1; k < kSlices; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

constexpr uint32_t Little(const uint8_t* p) {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}

uint32_t EightBytes(uint32_t state, const uint8_t* p) {
  const uint32_t low = Little(p) ^ state;
  const uint32_t high = Little(p + 4);
  return kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^ kTables[5][low >> 16 & 0xff] ^
         kTables[4][low >> 24] ^ kTables[3][high & 0xff] ^ kTables[2][high >> 8 & 0xff] ^
         kTables[1][high >> 16 & 0xff] ^ kTables[0][high >> 24];
}

uint32_t FourBytes(uint32_t state, const uint8_t* p) {
  const uint32_t word = Little(p) ^ state;
  return kTables[3][word & 0xff] ^ kTables[2][word >> 8 & 0xff] ^ kTables[1][word >> 16 & 0xff] ^
         kTables[0][word >> 24];
}

}  // namespace

uint32_t Crc32ByTable(uint32_t state, const uint8_t* bytes, size_t n) {
  for (; n >= kSlices; bytes += kSlices, n -= kSlices) state = EightBytes(state, bytes);
  if (n >= kHalf) {
    state = FourBytes(state, bytes);
    bytes += kHalf;
    n -= kHalf;
  }
  for (; n > 0; ++bytes, --n) state = (state >> 8) ^ kTables[0][(state ^ *bytes) & 0xff];
  return state;
}

uint32_t Crc32(std::span<const uint8_t> bytes, uint32_t crc) {
  static const Crc32Step in_hardware = Crc32InHardware();
  const bool takes_it = in_hardware != nullptr && bytes.size() >= kCrc32AtLeast;
  return ~(takes_it ? in_hardware : Crc32ByTable)(~crc, bytes.data(), bytes.size());
}

}  // namespace spliceway
