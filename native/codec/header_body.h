// Frames with the header of codec/header.h.
#pragma once

#include "codec/framing.h"
#include "codec/header.h"

namespace spliceway {

class HeaderBody final : public Framing {
 public:
  struct Layout {
    uint8_t version = 1;
    size_t command_bytes = 1;  // 1 or 2
    size_t crc_over = 8;       // how much of the header's start the CRC covers
  };

  HeaderBody(Layout layout, size_t max_body)
      : layout_(layout), header_(layout.command_bytes), max_body_(max_body) {}

  Look At(Bytes data, size_t seen) const override;
  size_t NextStart(Bytes data) const override;

  // Fills in the CRC of each frame in `frames`, which holds whole ones with correct lengths. Stops
  // at what is none.
  void Seal(std::span<uint8_t> frames) const;

 private:
  Fault StartFault(Bytes data) const;
  uint32_t CrcOf(Bytes frame) const;

  Layout layout_;
  Header header_;
  size_t max_body_;
};

}  // namespace spliceway
