// Netstrings (Bernstein, 1997): the length in decimal digits, a colon, the body, a comma.
#pragma once

#include "codec/framing.h"

namespace spliceway {

class Netstring final : public Framing {
 public:
  explicit Netstring(size_t max_body) : max_body_(max_body) {}

  Look At(Bytes data, size_t seen) const override;

 private:
  Look FrameOf(Bytes data, size_t head, size_t length) const;

  size_t max_body_;
};

}  // namespace spliceway
