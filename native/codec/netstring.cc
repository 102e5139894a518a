#include "codec/netstring.h"

namespace spliceway {

Look Netstring::At(Bytes data, size_t) const {
  size_t length = 0;
  for (size_t i = 0; i < data.size(); ++i) {
    if (data[i] == ':') return i == 0 ? Look::Bad(Fault::kLength) : FrameOf(data, i + 1, length);
    const bool is_digit = data[i] >= '0' && data[i] <= '9';
    const bool after_zero = i > 0 && length == 0;
    if (!is_digit || after_zero) return Look::Bad(Fault::kLength);
    length = 10 * length + (data[i] - '0');
    if (length > max_body_) return Look::Bad(Fault::kTooLarge);
  }
  return Look::More(data.size() + 1);
}

Look Netstring::FrameOf(Bytes data, size_t head, size_t length) const {
  const size_t size = head + length + 1;
  if (data.size() < size) return Look::More(size);
  return data[size - 1] == ',' ? Look::Frame(size, head, length) : Look::Bad(Fault::kLength);
}

}  // namespace spliceway
