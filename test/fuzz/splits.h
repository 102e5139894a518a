// What every fuzzer of a decoder holds: a stream comes to the same frames, and to the same end,
// however it is cut into chunks; in memory and time that its length bounds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "codec/decoder.h"

namespace spliceway::fuzz {

using MakeFraming = std::function<std::unique_ptr<Framing>()>;

inline constexpr size_t kMaxBody = 300;

// Input is read from its start: settings first, the stream after them.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : left_(data, size) {}

  // 0 to `most`.
  size_t Number(size_t most);
  Bytes Rest() const { return left_; }

 private:
  Bytes left_;
};

// Aborts where it does not hold.
void CheckSplits(Input input, const MakeFraming& make,
                 Decoder::Policy policy = Decoder::Policy::kStop, uint32_t control = UINT32_MAX);

}  // namespace spliceway::fuzz
