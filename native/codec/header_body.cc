#include "codec/header_body.h"

#include <cstring>

#include "codec/crc32.h"

namespace spliceway {

// Judged byte by byte as they come: a stream of something else shows at once.
Fault HeaderBody::StartFault(Bytes data) const {
  if (data[0] != Header::kMagic[0]) return Fault::kMagic;
  if (data.size() > 1 && data[1] != Header::kMagic[1]) return Fault::kMagic;
  if (data.size() > Header::kVersionAt && data[Header::kVersionAt] != layout_.version) {
    return Fault::kVersion;
  }
  return Fault::kNone;
}

uint32_t HeaderBody::CrcOf(Bytes frame) const {
  return Crc32(frame.subspan(header_.size()), Crc32(frame.first(layout_.crc_over)));
}

Look HeaderBody::At(Bytes data, size_t) const {
  if (const Fault fault = StartFault(data); fault != Fault::kNone) return Look::Bad(fault);
  if (data.size() < header_.size()) return Look::More(header_.size());
  const size_t length = header_.Length(data.data());
  if (length > max_body_) return Look::Bad(Fault::kTooLarge);
  const size_t size = header_.size() + length;
  if (data.size() < size) return Look::More(size);
  if (CrcOf(data.first(size)) != header_.Crc(data.data())) return Look::Bad(Fault::kCrc);
  return Look::Frame(size, header_.size(), length, header_.Command(data.data()));
}

size_t HeaderBody::NextStart(Bytes data) const {
  for (size_t at = 1; at < data.size(); ++at) {
    const void* found = std::memchr(data.data() + at, Header::kMagic[0], data.size() - at);
    if (found == nullptr) break;
    at = static_cast<size_t>(static_cast<const uint8_t*>(found) - data.data());
    if (StartFault(data.subspan(at)) == Fault::kNone) return at;
  }
  return data.size();
}

void HeaderBody::Seal(std::span<uint8_t> frames) const {
  while (frames.size() >= header_.size()) {
    const size_t size = header_.size() + header_.Length(frames.data());
    if (size > frames.size()) return;
    header_.SetCrc(frames.data(), CrcOf(frames.first(size)));
    frames = frames.subspan(size);
  }
}

}  // namespace spliceway
