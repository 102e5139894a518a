#include "support/frames.h"

#include <algorithm>
#include <cstdlib>

#include "codec/crc32.h"
#include "codec/header_body.h"

namespace spliceway::test {
namespace {

void AppendNumber(std::string* out, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i)));
}

// Also where asserts are off, as in fuzzers.
void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

Bytes BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string HeaderBodyFrame(uint32_t command, std::string_view body, size_t command_bytes,
                            size_t crc_over, uint8_t version) {
  std::string frame = "BM";
  frame.push_back(static_cast<char>(version));
  AppendNumber(&frame, command, command_bytes);
  AppendNumber(&frame, body.size(), 4);
  const size_t covered = crc_over == 0 ? frame.size() : crc_over;
  const uint32_t crc = Crc32(BytesOf(body), Crc32(BytesOf(frame).first(covered)));
  AppendNumber(&frame, crc, 4);
  return frame.append(body);
}

bool Feeder::Feed(std::string_view chunk) {
  if (fault_ != Fault::kNone) return false;
  for (size_t at = 0;;) {
    const std::vector<uint8_t> rest(chunk.begin() + at, chunk.end());
    FrameRecord records[kAtOnce];
    const auto result = decoder_.Decode(rest, store_, records);
    ++calls_;
    Require(result.consumed <= rest.size());
    at += result.consumed;
    if (!Take(result, result.in_store ? Bytes(store_) : Bytes(rest), records)) return false;
    if (result.stop == Decoder::Stop::kHungry) {
      Require(at == chunk.size());
      return true;
    }
  }
}

bool Feeder::Take(const Decoder::Result& result, Bytes memory, const FrameRecord* records) {
  for (size_t i = 0; i < result.frames; ++i) {
    const auto [command, from, length] = records[i];
    Require(from <= memory.size() && length <= memory.size() - from);
    frames_.push_back({command, {memory.begin() + from, memory.begin() + from + length}});
  }
  if (result.stop == Decoder::Stop::kControl) ++controls_;
  if (result.stop == Decoder::Stop::kRoom) {
    Require(result.room > store_.size() || store_.empty());
    std::vector<uint8_t> larger(result.room);
    std::copy(store_.begin(), store_.end(), larger.begin());
    store_.swap(larger);
  }
  fault_ = result.fault;
  return result.stop != Decoder::Stop::kBad;
}

bool Feeder::FeedInPieces(std::string_view stream, size_t size) {
  for (; !stream.empty(); stream.remove_prefix(std::min(size, stream.size()))) {
    if (!Feed(stream.substr(0, size))) return false;
  }
  return true;
}

bool Feeder::Finish() {
  FrameRecord records[kAtOnce];
  return fault_ == Fault::kNone && Take(decoder_.Finish(store_, records), store_, records);
}

}  // namespace spliceway::test
