// A stream of frames: made, cut into chunks, and decoded again as the package does it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/decoder.h"

namespace spliceway::test {

struct Frame {
  uint32_t command = 0;
  std::string body;

  bool operator==(const Frame&) const = default;
};

Bytes BytesOf(std::string_view text);

// A frame with the header of codec/header.h.
std::string HeaderBodyFrame(uint32_t command, std::string_view body, size_t command_bytes = 1,
                            size_t crc_over = 0, uint8_t version = 1);

// Decodes what it is fed. Chunks and stores are in memory of exactly their size, which is gone as
// soon as it may be.
class Feeder {
 public:
  explicit Feeder(std::unique_ptr<Framing> framing, Decoder::Policy policy = Decoder::Policy::kStop,
                  uint32_t control = UINT32_MAX)
      : decoder_(std::move(framing), policy, control) {}

  // False once a frame was bad.
  bool Feed(std::string_view chunk);
  // In chunks of at most `size` bytes.
  bool FeedInPieces(std::string_view stream, size_t size);
  bool Finish();

  const Decoder& decoder() const { return decoder_; }
  const std::vector<Frame>& frames() const { return frames_; }
  Fault fault() const { return fault_; }
  size_t store_size() const { return store_.size(); }
  size_t calls() const { return calls_; }
  size_t controls() const { return controls_; }

 private:
  static constexpr size_t kAtOnce = 5;

  bool Take(const Decoder::Result& result, Bytes memory, const FrameRecord* records);

  Decoder decoder_;
  std::vector<uint8_t> store_;
  std::vector<Frame> frames_;
  Fault fault_ = Fault::kNone;
  size_t calls_ = 0;
  size_t controls_ = 0;
};

}  // namespace spliceway::test
