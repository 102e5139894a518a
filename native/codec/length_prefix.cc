#include "codec/length_prefix.h"

#include <algorithm>

namespace spliceway {
namespace {

constexpr size_t kLongestVarint = 10;
// Beyond any size there is, and far enough from the end of the numbers to add to it.
constexpr uint64_t kAnyTooLarge = uint64_t{1} << 62;

}  // namespace

Look LengthPrefix::At(Bytes data, size_t) const {
  if (layout_.bytes == 0) return AtVarint(data);
  const size_t head = layout_.offset + layout_.bytes;
  if (data.size() < head) return Look::More(head);
  return FrameOf(data, head, Value(data.data() + layout_.offset), layout_.strip);
}

Look LengthPrefix::AtVarint(Bytes data) const {
  uint64_t value = 0;
  for (size_t i = 0; i < std::min(data.size(), kLongestVarint); ++i) {
    value |= uint64_t{data[i] & 0x7fu} << (7 * i);
    if ((data[i] & 0x80) == 0) return FrameOf(data, i + 1, value, i + 1);
  }
  return data.size() < kLongestVarint ? Look::More(data.size() + 1) : Look::Bad(Fault::kLength);
}

uint64_t LengthPrefix::Value(const uint8_t* field) const {
  uint64_t value = 0;
  for (size_t i = 0; i < layout_.bytes; ++i) {
    value = value << 8 | field[layout_.little_endian ? layout_.bytes - 1 - i : i];
  }
  return value;
}

Look LengthPrefix::FrameOf(Bytes data, size_t head, uint64_t value, size_t strip) const {
  if (value >= kAnyTooLarge) return Look::Bad(Fault::kTooLarge);
  const int64_t behind = static_cast<int64_t>(value) + layout_.adjustment;
  if (behind < 0) return Look::Bad(Fault::kLength);
  const size_t size = head + static_cast<size_t>(behind);
  if (size < strip) return Look::Bad(Fault::kLength);
  if (size - strip > max_body_) return Look::Bad(Fault::kTooLarge);
  return data.size() < size ? Look::More(size) : Look::Frame(size, strip, size - strip);
}

}  // namespace spliceway
