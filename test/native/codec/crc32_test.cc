#include "codec/crc32.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "codec/crc32_step.h"

namespace spliceway {
namespace {

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Bit by bit, as the definition has it.
uint32_t ByDefinition(std::span<const uint8_t> bytes, uint32_t crc) {
  uint32_t state = ~crc;
  for (const uint8_t byte : bytes) {
    state ^= byte;
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) != 0 ? 0xedb88320u : 0u);
  }
  return ~state;
}

std::vector<uint8_t> Pattern(size_t n) {
  std::vector<uint8_t> bytes(n);
  uint32_t x = 12345;
  for (uint8_t& byte : bytes) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(x >> 24);
  }
  return bytes;
}

TEST(Crc32, HasTheCheckValueOfTheStandard) {
  EXPECT_EQ(Crc32(BytesOf("123456789")), 0xcbf43926u);
  EXPECT_EQ(Crc32(BytesOf("The quick brown fox jumps over the lazy dog")), 0x414fa339u);
}

TEST(Crc32, OfNothingIsTheValueBeforeIt) {
  EXPECT_EQ(Crc32({}), 0u);
  EXPECT_EQ(Crc32({}, 0xdeadbeef), 0xdeadbeefu);
}

TEST(Crc32, AgreesWithTheDefinitionForEveryLengthAndAlignment) {
  const auto bytes = Pattern(1500);
  for (size_t n = 0; n <= 1200; ++n) {
    const auto part = std::span(bytes).subspan(n % 67, n);
    ASSERT_EQ(Crc32(part), ByDefinition(part, 0)) << n;
    ASSERT_EQ(Crc32(part, 0x12345678), ByDefinition(part, 0x12345678)) << n;
  }
}

TEST(Crc32, GoesOnFromTheValueOfWhatCameBefore) {
  const auto bytes = Pattern(5000);
  const auto all = std::span(bytes);
  for (size_t cut : {0, 1, 15, 63, 64, 65, 255, 256, 257, 1000, 4999, 5000}) {
    EXPECT_EQ(Crc32(all.subspan(cut), Crc32(all.first(cut))), Crc32(all)) << cut;
  }
}

TEST(Crc32, OfTheInstructionsIsThatOfTheTable) {
  const Crc32Step in_hardware = Crc32InHardware();
  if (in_hardware == nullptr) GTEST_SKIP() << "this processor has none";
  const auto bytes = Pattern(70000);
  for (size_t n = kCrc32AtLeast; n <= bytes.size(); n += 1 + n / 7) {
    EXPECT_EQ(in_hardware(~0u, bytes.data(), n), Crc32ByTable(~0u, bytes.data(), n)) << n;
    EXPECT_EQ(in_hardware(0, bytes.data(), n), Crc32ByTable(0, bytes.data(), n)) << n;
  }
}

}  // namespace
}  // namespace spliceway
