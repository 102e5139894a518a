// The frame header, as offsets and accessors. Numbers are big endian.
//
//   offset   0       2         3           3+c        7+c      11+c
//          | magic | version | command   | length   | CRC-32 | body …
//   bytes    2       1         c: 1 or 2   4          4        length
//
// The CRC covers what stands before it, 7+c bytes, or as many of these as it is told to, and the
// body.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spliceway {

class Header {
 public:
  static constexpr uint8_t kMagic[] = {0x42, 0x4d};
  static constexpr size_t kVersionAt = 2;
  static constexpr size_t kCommandAt = 3;

  explicit constexpr Header(size_t command_bytes) : command_bytes_(command_bytes) {}

  constexpr size_t length_at() const { return kCommandAt + command_bytes_; }
  constexpr size_t crc_at() const { return length_at() + 4; }
  constexpr size_t size() const { return crc_at() + 4; }

  constexpr uint32_t Command(const uint8_t* header) const {
    const uint32_t first = header[kCommandAt];
    return command_bytes_ == 1 ? first : first << 8 | header[kCommandAt + 1];
  }
  constexpr uint32_t Length(const uint8_t* header) const { return Word(header + length_at()); }
  constexpr uint32_t Crc(const uint8_t* header) const { return Word(header + crc_at()); }

  constexpr void SetCrc(uint8_t* header, uint32_t crc) const {
    for (int i = 0; i < 4; ++i) header[crc_at() + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
  }

 private:
  static constexpr uint32_t Word(const uint8_t* p) {
    return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
  }

  size_t command_bytes_;
};

}  // namespace spliceway
