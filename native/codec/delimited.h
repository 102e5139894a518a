// Frames that end with a certain sequence of bytes; lines among them.
#pragma once

#include <string>
#include <utility>

#include "codec/framing.h"

namespace spliceway {

class Delimited final : public Framing {
 public:
  // Ends at `delimiter`, which is not empty.
  Delimited(std::string delimiter, size_t max_body)
      : delimiter_(std::move(delimiter)), max_body_(max_body) {}

  // Lines: a carriage return before the newline belongs to the end, and what the stream ends with
  // is one, too.
  static Delimited Lines(size_t max_body) {
    Delimited lines("\n", max_body);
    lines.lines_ = true;
    return lines;
  }

  Look At(Bytes data, size_t seen) const override;
  Look AtEnd(Bytes data) const override;

 private:
  Look FrameOf(Bytes data, size_t end, size_t size) const;

  std::string delimiter_;
  size_t max_body_;
  bool lines_ = false;
};

}  // namespace spliceway
