// Bytes in, whole frames out; no I/O. A chunk may hold any part of a stream: half a frame, or
// thousands.
//
// Frames are told as places: in the chunk, where nothing is copied, or in the store. That is memory
// of the caller's in which a frame is put together that lies in several chunks:
//
//   chunks   |…frame|frame|fra|  |me|frame|fr|  |ame|…
//                             └──┬──┘         └─┬──┘
//   store                      frame          frame
//
// A store and what is in it stay as they are until Decode is called again, and a frame that was
// told of is good for as long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "codec/framing.h"

namespace spliceway {

// A frame: three integers, as JavaScript reads them.
struct FrameRecord {
  uint32_t command;
  uint32_t at;
  uint32_t length;
};

class Decoder {
 public:
  enum class Policy : uint8_t { kStop, kResynchronise };

  enum class Stop : uint8_t {
    kHungry,   // all of the chunk is used up
    kMore,     // frames were found, or bytes skipped: call again with what is left of the chunk
    kControl,  // the one frame that was found is a control frame; then as kMore
    kRoom,  // the store has to be of `room` bytes, with what it holds at its start; then as kMore
    kBad,   // a bad frame: nothing can be found after it
  };

  struct Result {
    Stop stop = Stop::kHungry;
    bool in_store = false;  // where the frames are
    size_t frames = 0;
    size_t consumed = 0;  // bytes of the chunk
    size_t room = 0;
    Fault fault = Fault::kNone;
  };

  // Commands from `control` on are those of control frames, which are told of one by one.
  explicit Decoder(std::unique_ptr<Framing> framing, Policy policy = Policy::kStop,
                   uint32_t control = UINT32_MAX)
      : framing_(std::move(framing)), policy_(policy), control_(control) {}

  // Goes on with the stream. `frames` has room for at least one.
  Result Decode(Bytes chunk, std::span<uint8_t> store, std::span<FrameRecord> frames);

  // The stream is at its end: a last frame, or what is wrong with what is left.
  Result Finish(Bytes store, std::span<FrameRecord> frames);

  // Bytes in the store, of a frame that is not whole yet.
  size_t held() const { return end_ - start_; }
  Bytes Held(Bytes store) const { return store.subspan(start_, held()); }
  // Where in the stream that frame begins, or the next one will, or the bad one does.
  uint64_t position() const { return position_; }

  // Frames that were bad, and stretches of bytes that were none; bytes that were skipped for them.
  // Neither depends on how the stream was cut into chunks.
  uint64_t bad_frames() const { return bad_frames_; }
  uint64_t skipped() const { return skipped_; }

 private:
  Result FromChunk(Bytes chunk, std::span<FrameRecord> frames, size_t* wanted);
  Result FromStore(Bytes chunk, std::span<uint8_t> store, std::span<FrameRecord> frames,
                   size_t wanted);
  // Takes bytes until the store holds `wanted`, or all there are. False: it has to be larger first.
  bool Append(Bytes chunk, std::span<uint8_t> store, size_t wanted, Result* result);
  // Whether the frame was put among those told of, and another one may be.
  bool Tell(const Look& look, size_t at, std::span<FrameRecord> frames, Result* result);
  bool TellStored(const Look& look, std::span<FrameRecord> frames, Result* result);
  bool FitsIn(const Look& look, std::span<FrameRecord> frames, const Result& result) const;
  void Drop(size_t n);  // the first n bytes that are held
  // How far to skip after a bad frame; 0 where that is no use, and the result says so.
  size_t Skip(Fault fault, Bytes data, Result* result);

  std::unique_ptr<Framing> framing_;
  Policy policy_;
  uint32_t control_;
  // What the store holds that is not decoded yet, and how much of it was looked at in vain.
  size_t start_ = 0;
  size_t end_ = 0;
  size_t seen_ = 0;
  uint64_t position_ = 0;
  uint64_t bad_frames_ = 0;
  uint64_t skipped_ = 0;
  bool skipping_ = false;
  int bad_crcs_ = 0;  // since the last good frame
};

}  // namespace spliceway
