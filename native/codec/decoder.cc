#include "codec/decoder.h"

#include <algorithm>
#include <cstring>

namespace spliceway {
namespace {

// A store grows with what came, not with what a length promises.
constexpr size_t kSmallestStore = 512;

// Bad CRCs without a good frame among them after which resynchronising gives up. Each candidate for
// a frame's start may cost the CRC of the largest frame, and they may lie twelve bytes apart.
constexpr int kBadCrcsInARow = 16;

}  // namespace

Decoder::Result Decoder::Decode(Bytes chunk, std::span<uint8_t> store,
                                std::span<FrameRecord> frames) {
  if (end_ > store.size()) start_ = end_;  // a store that lost its memory, and the bytes with it
  if (held() > 0) return FromStore(chunk, store, frames, held());
  start_ = end_ = seen_ = 0;
  size_t wanted = 0;
  Result result = FromChunk(chunk, frames, &wanted);
  // A part of a frame is left. It goes into the store, unless there are frames to be looked at
  // first.
  if (wanted == 0 || result.frames > 0) return result;
  const size_t before = result.consumed;
  result = FromStore(chunk.subspan(before), store, frames, wanted);
  result.consumed += before;
  return result;
}

// Sets `wanted` where it comes to a part of a frame: how many bytes make another look worth it.
Decoder::Result Decoder::FromChunk(Bytes chunk, std::span<FrameRecord> frames, size_t* wanted) {
  Result result;
  result.stop = Stop::kMore;
  while (result.consumed < chunk.size()) {
    const Bytes data = chunk.subspan(result.consumed);
    const Look look = framing_->At(data, 0);
    if (look.kind == Look::Kind::kMore) {
      *wanted = look.size;
      return result;
    }
    if (look.kind == Look::Kind::kFrame) {
      if (!FitsIn(look, frames, result)) return result;
      const bool more = Tell(look, result.consumed, frames, &result);
      result.consumed += look.size;
      if (!more) return result;
    } else {
      if (result.frames > 0) return result;
      const size_t skipped = Skip(look.fault, data, &result);
      if (skipped == 0) return result;
      result.consumed += skipped;
    }
  }
  result.stop = Stop::kHungry;
  return result;
}

// Bytes are taken from the chunk only while no frame was found: the store stays as it is after
// that.
Decoder::Result Decoder::FromStore(Bytes chunk, std::span<uint8_t> store,
                                   std::span<FrameRecord> frames, size_t wanted) {
  Result result;
  result.in_store = true;
  result.stop = Stop::kMore;
  if (!Append(chunk, store, wanted, &result)) return result;
  while (held() > 0) {
    const Bytes data = Bytes(store).subspan(start_, held());
    const Look look = framing_->At(data, seen_);
    if (look.kind == Look::Kind::kFrame) {
      if (!FitsIn(look, frames, result) || !TellStored(look, frames, &result)) return result;
    } else if (result.frames > 0) {
      return result;
    } else if (look.kind == Look::Kind::kBad) {
      const size_t skipped = Skip(look.fault, data, &result);
      if (skipped == 0) return result;
      Drop(skipped);
    } else {
      seen_ = data.size();
      if (result.consumed == chunk.size()) break;
      if (!Append(chunk, store, look.size, &result)) return result;
    }
  }
  if (result.consumed == chunk.size()) result.stop = Stop::kHungry;
  return result;
}

bool Decoder::TellStored(const Look& look, std::span<FrameRecord> frames, Result* result) {
  const bool more = Tell(look, start_, frames, result);
  Drop(look.size);
  // What was taken beyond the frame's end is left in the chunk, where it needs no store.
  const size_t back = std::min(held(), result->consumed);
  end_ -= back;
  result->consumed -= back;
  return more;
}

void Decoder::Drop(size_t n) {
  start_ += n;
  seen_ = 0;
}

bool Decoder::Append(Bytes chunk, std::span<uint8_t> store, size_t wanted, Result* result) {
  const size_t n = std::min(wanted - held(), chunk.size() - result->consumed);
  if (end_ + n > store.size() && start_ > 0) {
    std::memmove(store.data(), store.data() + start_, held());
    end_ = held();
    start_ = 0;
  }
  if (end_ + n > store.size()) {
    result->stop = Stop::kRoom;
    result->room = std::min(wanted, std::max(2 * (held() + n), kSmallestStore));
    return false;
  }
  if (n > 0) std::memcpy(store.data() + end_, chunk.data() + result->consumed, n);
  end_ += n;
  result->consumed += n;
  return true;
}

// A control frame is alone.
bool Decoder::FitsIn(const Look& look, std::span<FrameRecord> frames, const Result& result) const {
  if (look.command >= control_) return result.frames == 0;
  return result.frames < frames.size();
}

bool Decoder::Tell(const Look& look, size_t at, std::span<FrameRecord> frames, Result* result) {
  frames[result->frames++] = {look.command, static_cast<uint32_t>(at + look.body),
                              static_cast<uint32_t>(look.length)};
  position_ += look.size;
  skipping_ = false;
  bad_crcs_ = 0;
  if (look.command < control_) return true;
  result->stop = Stop::kControl;
  return false;
}

size_t Decoder::Skip(Fault fault, Bytes data, Result* result) {
  const bool begins_as_frame = fault != Fault::kMagic && fault != Fault::kVersion;
  if (begins_as_frame || !skipping_) ++bad_frames_;
  if (fault == Fault::kCrc) ++bad_crcs_;
  skipping_ = true;
  const bool goes_on = policy_ == Policy::kResynchronise && bad_crcs_ <= kBadCrcsInARow;
  const size_t n = goes_on ? framing_->NextStart(data) : 0;
  if (n == 0) {
    result->stop = Stop::kBad;
    result->fault = fault;
    return 0;
  }
  skipped_ += n;
  position_ += n;
  return n;
}

Decoder::Result Decoder::Finish(Bytes store, std::span<FrameRecord> frames) {
  Result result;
  result.in_store = true;
  if (held() == 0 || end_ > store.size()) return result;
  const Look look = framing_->AtEnd(store.subspan(start_, held()));
  if (look.kind == Look::Kind::kFrame) {
    Tell(look, start_, frames, &result);
    start_ = end_;
  } else {
    result.stop = Stop::kBad;
    result.fault = look.fault;
  }
  return result;
}

}  // namespace spliceway
