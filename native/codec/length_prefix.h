// Frames that tell their length, after Netty's LengthFieldBasedFrameDecoder:
//
//   | offset bytes | length | … |
//   |<- strip ->|<---- body ---->|
//
// The frame goes on for as many bytes behind the length as its value and the adjustment add up to.
#pragma once

#include "codec/framing.h"

namespace spliceway {

class LengthPrefix final : public Framing {
 public:
  struct Layout {
    size_t bytes = 4;  // of the length: 1 to 8, or 0 for a varint (LEB128, as in protocol buffers)
    bool little_endian = false;
    size_t offset = 0;
    int64_t adjustment = 0;
    size_t strip = 4;  // not looked at for a varint, whose bytes are left out of the body
  };

  LengthPrefix(Layout layout, size_t max_body) : layout_(layout), max_body_(max_body) {}

  Look At(Bytes data, size_t seen) const override;

 private:
  Look FrameOf(Bytes data, size_t head, uint64_t value, size_t strip) const;
  Look AtVarint(Bytes data) const;
  uint64_t Value(const uint8_t* field) const;

  Layout layout_;
  size_t max_body_;
};

}  // namespace spliceway
