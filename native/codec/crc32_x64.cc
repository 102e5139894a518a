// CRC-32 by carry-less multiplication (PCLMULQDQ), after Gopal et al., "Fast CRC Computation for
// Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009).
//
// A message is a polynomial over GF(2), and its CRC what is left of it modulo P. Moving sixteen
// bytes further along a message multiplies them by a power of x, which modulo P is a constant: so
// they can be "folded" into the bytes there, two multiplications for each sixteen. The last sixteen
// bytes that all others were folded into have the CRC of the whole message.
#include <immintrin.h>

#include "codec/crc32_step.h"

#define SPLICEWAY_NARROW __attribute__((target("pclmul,sse4.1")))
#define SPLICEWAY_WIDE __attribute__((target("pclmul,sse4.1,avx512f,vpclmulqdq")))

namespace spliceway {
namespace {

constexpr size_t kLane = 16;
constexpr size_t kBlock = 4 * kLane;
constexpr size_t kWideBlock = 4 * kBlock;
// Gathering what wide registers hold costs as much as folding a block or two more.
constexpr size_t kWideAtLeast = 2 * kWideBlock;

// For each distance of n bits the two constants x^(n+32) mod P and x^(n-32) mod P, reversed.
struct Distance {
  int64_t low, high;
};
constexpr Distance kByLane = {0x1751997d0, 0x0ccaa009e};
constexpr Distance kByBlock = {0x154442bd4, 0x1c6e41596};
constexpr Distance kByWideBlock = {0x11542778a, 0x1322d1430};

// Four lanes that lie side by side.
struct Block {
  __m128i a, b, c, d;
};

SPLICEWAY_NARROW inline __m128i Load(const uint8_t* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

SPLICEWAY_NARROW inline Block LoadBlock(const uint8_t* bytes) {
  return {Load(bytes), Load(bytes + kLane), Load(bytes + 2 * kLane), Load(bytes + 3 * kLane)};
}

// Moves x along and into `there`.
SPLICEWAY_NARROW inline __m128i Fold(__m128i x, Distance by, __m128i there) {
  const __m128i distance = _mm_set_epi64x(by.high, by.low);
  const __m128i low = _mm_clmulepi64_si128(x, distance, 0x00);
  const __m128i high = _mm_clmulepi64_si128(x, distance, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

// The same by half as far for the low half of x: 64 bits are left, in the upper half of 96.
constexpr int64_t kByHalfLane = 0x163cd6124;
// P, and the quotient of x^64 and P, both reversed.
constexpr Distance kBarrett = {0x1db710641, 0x1f7011641};

// The state after sixteen bytes that all others were folded into: what is left modulo P, by
// Barrett's reduction, as the paper has it.
SPLICEWAY_NARROW inline uint32_t Reduce(__m128i x) {
  const __m128i low_words = _mm_setr_epi32(-1, 0, -1, 0);
  const __m128i by_lane = _mm_set_epi64x(kByLane.high, kByLane.low);
  x = _mm_xor_si128(_mm_srli_si128(x, 8), _mm_clmulepi64_si128(x, by_lane, 0x10));
  const __m128i by_half = _mm_set_epi64x(0, kByHalfLane);
  const __m128i low = _mm_clmulepi64_si128(_mm_and_si128(x, low_words), by_half, 0x00);
  x = _mm_xor_si128(_mm_srli_si128(x, 4), low);
  const __m128i barrett = _mm_set_epi64x(kBarrett.high, kBarrett.low);
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(x, low_words), barrett, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_words), barrett, 0x00);
  return static_cast<uint32_t>(_mm_extract_epi32(_mm_xor_si128(x, quotient), 1));
}

// The state after a lane, into which all before it was folded, and the n bytes behind it.
SPLICEWAY_NARROW inline uint32_t FinishLane(__m128i x, const uint8_t* bytes, size_t n) {
  for (; n >= kLane; bytes += kLane, n -= kLane) x = Fold(x, kByLane, Load(bytes));
  return Crc32ByTable(Reduce(x), bytes, n);
}

// The same after a block.
SPLICEWAY_NARROW uint32_t Finish(Block block, const uint8_t* bytes, size_t n) {
  auto& [a, b, c, d] = block;
  for (; n >= kBlock; bytes += kBlock, n -= kBlock) {
    const Block next = LoadBlock(bytes);
    a = Fold(a, kByBlock, next.a);
    b = Fold(b, kByBlock, next.b);
    c = Fold(c, kByBlock, next.c);
    d = Fold(d, kByBlock, next.d);
  }
  const __m128i x = Fold(Fold(Fold(a, kByLane, b), kByLane, c), kByLane, d);
  return FinishLane(x, bytes, n);
}

SPLICEWAY_NARROW uint32_t Crc32ByFolding(uint32_t state, const uint8_t* bytes, size_t n) {
  const __m128i first = _mm_cvtsi32_si128(static_cast<int>(state));
  if (n < kBlock) return FinishLane(_mm_xor_si128(Load(bytes), first), bytes + kLane, n - kLane);
  Block block = LoadBlock(bytes);
  block.a = _mm_xor_si128(block.a, first);
  return Finish(block, bytes + kBlock, n - kBlock);
}

// The same with a block in each register.

SPLICEWAY_WIDE inline __m512i Fold(__m512i x, Distance by, __m512i there) {
  const __m512i distance =
      _mm512_set_epi64(by.high, by.low, by.high, by.low, by.high, by.low, by.high, by.low);
  const __m512i low = _mm512_clmulepi64_epi128(x, distance, 0x00);
  const __m512i high = _mm512_clmulepi64_epi128(x, distance, 0x11);
  return _mm512_ternarylogic_epi64(low, high, there, 0x96);  // the exclusive or of all three
}

SPLICEWAY_WIDE uint32_t Crc32ByWideFolding(uint32_t state, const uint8_t* bytes, size_t n) {
  if (n < kWideAtLeast) return Crc32ByFolding(state, bytes, n);
  const __m128i first = _mm_cvtsi32_si128(static_cast<int>(state));
  __m512i a = _mm512_xor_si512(_mm512_loadu_si512(bytes), _mm512_zextsi128_si512(first));
  __m512i b = _mm512_loadu_si512(bytes + kBlock);
  __m512i c = _mm512_loadu_si512(bytes + 2 * kBlock);
  __m512i d = _mm512_loadu_si512(bytes + 3 * kBlock);
  for (bytes += kWideBlock, n -= kWideBlock; n >= kWideBlock;
       bytes += kWideBlock, n -= kWideBlock) {
    a = Fold(a, kByWideBlock, _mm512_loadu_si512(bytes));
    b = Fold(b, kByWideBlock, _mm512_loadu_si512(bytes + kBlock));
    c = Fold(c, kByWideBlock, _mm512_loadu_si512(bytes + 2 * kBlock));
    d = Fold(d, kByWideBlock, _mm512_loadu_si512(bytes + 3 * kBlock));
  }
  const __m512i x = Fold(Fold(Fold(a, kByBlock, b), kByBlock, c), kByBlock, d);
  uint8_t block[kBlock];
  _mm512_storeu_si512(block, x);
  return Finish(LoadBlock(block), bytes, n);
}

}  // namespace

Crc32Step Crc32InHardware() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return nullptr;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
  return wide ? Crc32ByWideFolding : Crc32ByFolding;
}

}  // namespace spliceway
