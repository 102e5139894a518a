// Frames of one size.
#pragma once

#include "codec/framing.h"

namespace spliceway {

class FixedSize final : public Framing {
 public:
  explicit FixedSize(size_t size) : size_(size) {}

  Look At(Bytes data, size_t) const override {
    return data.size() < size_ ? Look::More(size_) : Look::Frame(size_, 0, size_);
  }

 private:
  size_t size_;
};

}  // namespace spliceway
