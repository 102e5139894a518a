// CRC-32 by the instructions that ARMv8 has for it: eight bytes each.
#include <cstring>

#include "codec/crc32_step.h"

#ifndef __APPLE__
#include <sys/auxv.h>
#endif

namespace spliceway {
namespace {

// By name, not by intrinsic: those are there only where the whole file may use the instructions.
inline uint32_t EightBytes(uint32_t state, uint64_t word) {
  asm(".arch_extension crc\n\tcrc32x %w0, %w0, %x1" : "+r"(state) : "r"(word));
  return state;
}

inline uint32_t OneByte(uint32_t state, uint32_t byte) {
  asm(".arch_extension crc\n\tcrc32b %w0, %w0, %w1" : "+r"(state) : "r"(byte));
  return state;
}

uint32_t Crc32ByInstruction(uint32_t state, const uint8_t* bytes, size_t n) {
  for (uint64_t word = 0; n >= sizeof(word); bytes += sizeof(word), n -= sizeof(word)) {
    std::memcpy(&word, bytes, sizeof(word));
    state = EightBytes(state, word);
  }
  for (; n > 0; ++bytes, --n) state = OneByte(state, *bytes);
  return state;
}

// Optional in ARMv8.0, and in every processor of Apple's.
bool HasInstruction() {
#if defined(__APPLE__)
  return true;
#elif defined(__FreeBSD__)
  unsigned long bits = 0;
  return elf_aux_info(AT_HWCAP, &bits, sizeof(bits)) == 0 && (bits & HWCAP_CRC32) != 0;
#else
  constexpr unsigned long kHwcapCrc32 = 1 << 7;
  return (getauxval(AT_HWCAP) & kHwcapCrc32) != 0;
#endif
}

}  // namespace

Crc32Step Crc32InHardware() { return HasInstruction() ? Crc32ByInstruction : nullptr; }

}  // namespace spliceway
