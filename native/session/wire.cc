#include "session/wire.h"

#include <algorithm>
#include <array>
#include <concepts>

namespace spliceway {
namespace {

constexpr size_t kBeatSize = 16;
constexpr size_t kCreditSize = 4;

template <std::unsigned_integral T>
void Store(uint8_t* to, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<uint8_t>(value >> (8 * (sizeof(T) - 1 - i)));
  }
}

template <std::unsigned_integral T>
T Load(const uint8_t* from) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8 | from[i]);
  return value;
}

}  // namespace

void Wire::PutBeat(Control control, const Beat& beat, ByteQueue* out) const {
  std::array<uint8_t, kBeatSize> body;
  Store(body.data(), beat.sequence);
  Store(body.data() + 4, beat.sent_ns);
  Store(body.data() + 12, beat.stuck_ms);
  Put(control, body, out);
}

void Wire::PutCredit(uint32_t bytes, ByteQueue* out) const {
  std::array<uint8_t, kCreditSize> body;
  Store(body.data(), bytes);
  Put(kCredit, body, out);
}

std::optional<Beat> Wire::ReadBeat(Bytes body) {
  if (body.size() < kBeatSize) return std::nullopt;
  const uint8_t* from = body.data();
  return Beat{Load<uint32_t>(from), Load<uint64_t>(from + 4), Load<uint32_t>(from + 12)};
}

std::optional<uint32_t> Wire::ReadCredit(Bytes body) {
  if (body.size() < kCreditSize) return std::nullopt;
  return Load<uint32_t>(body.data());
}

void Wire::Put(Control control, Bytes body, ByteQueue* out) const {
  constexpr size_t kLargest = 13 + kBeatSize;
  std::array<uint8_t, kLargest> frame;
  frame[0] = Header::kMagic[0];
  frame[1] = Header::kMagic[1];
  frame[Header::kVersionAt] = layout_.version;
  // With two bytes the first of them is 0xff.
  frame[Header::kCommandAt] = 0xff;
  frame[Header::kCommandAt + layout_.command_bytes - 1] = control;
  Store(frame.data() + header_.length_at(), static_cast<uint32_t>(body.size()));
  std::copy(body.begin(), body.end(), frame.begin() + static_cast<ptrdiff_t>(head()));
  const std::span<uint8_t> whole(frame.data(), head() + body.size());
  HeaderBody(layout_, max_body_).Seal(whole);
  out->Put(whole);
}

}  // namespace spliceway
