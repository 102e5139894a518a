#include "codec/delimited.h"

#include <algorithm>
#include <string_view>

namespace spliceway {
namespace {

// More bytes than this are to come before another look is worth it, if they can.
constexpr size_t kAtLeast = 64;

std::string_view TextOf(Bytes data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

}  // namespace

Look Delimited::At(Bytes data, size_t seen) const {
  const size_t overlap = delimiter_.size() - 1;
  const size_t end = TextOf(data).find(delimiter_, seen > overlap ? seen - overlap : 0);
  if (end != std::string_view::npos) return FrameOf(data, end, end + delimiter_.size());
  // The longest frame that is allowed, and a carriage return.
  const size_t longest = max_body_ + delimiter_.size() + (lines_ ? 1 : 0);
  if (data.size() >= longest) return Look::Bad(Fault::kTooLarge);
  return Look::More(std::min(data.size() + std::max(data.size(), kAtLeast), longest));
}

Look Delimited::AtEnd(Bytes data) const {
  return lines_ ? FrameOf(data, data.size(), data.size()) : Look::Bad(Fault::kTruncated);
}

Look Delimited::FrameOf(Bytes data, size_t end, size_t size) const {
  const bool returns = lines_ && end > 0 && data[end - 1] == '\r';
  const size_t length = returns ? end - 1 : end;
  return length > max_body_ ? Look::Bad(Fault::kTooLarge) : Look::Frame(size, 0, length);
}

}  // namespace spliceway
