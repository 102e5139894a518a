// The codec library, for JavaScript. Memory of JavaScript's is looked up in the call that uses it.
#include <algorithm>
#include <memory>
#include <string>

#include "binding/args.h"
#include "binding/functions.h"
#include "codec/crc32.h"
#include "codec/decoder.h"
#include "codec/delimited.h"
#include "codec/fixed_size.h"
#include "codec/header_body.h"
#include "codec/length_prefix.h"
#include "codec/netstring.h"

namespace spliceway {
namespace {

// crc32(bytes, length, crc): of the first so many bytes
napi_value Crc32Of(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  const auto bytes = args.Bytes(0);
  const size_t length = std::min<size_t>(static_cast<size_t>(args.Number(1)), bytes.size());
  return Number(env, int64_t{Crc32(bytes.first(length), args.Word(2))});
}

// The framings, as lib/binding.ts names them, each with its parameters as numbers.
enum Kind { kHeaderBody, kLengthPrefix, kDelimited, kLines, kFixedSize, kNetstring };

constexpr size_t kParameters = 5;

std::unique_ptr<Framing> MakeFraming(int kind, size_t max, std::span<const int32_t> parameter,
                                     Bytes delimiter) {
  const auto size = [&](size_t i) { return static_cast<size_t>(parameter[i]); };
  switch (kind) {
    case kLengthPrefix: {
      const LengthPrefix::Layout layout = {size(0), parameter[1] != 0, size(2), parameter[3],
                                           size(4)};
      return std::make_unique<LengthPrefix>(layout, max);
    }
    case kDelimited:
      return std::make_unique<Delimited>(std::string(delimiter.begin(), delimiter.end()), max);
    case kLines: return std::make_unique<Delimited>(Delimited::Lines(max));
    case kFixedSize: return std::make_unique<FixedSize>(size(0));
    case kNetstring: return std::make_unique<Netstring>(max);
    default: {
      const HeaderBody::Layout layout = {static_cast<uint8_t>(parameter[0]), size(1), size(2)};
      return std::make_unique<HeaderBody>(layout, max);
    }
  }
}

// makeDecoder(kind, max, parameters, delimiter, resynchronise, control): an object for the calls
// below; max: bytes of the largest body; control: the first command of a control frame, or -1
napi_value MakeDecoder(napi_env env, napi_callback_info info) {
  const Args<6> args(env, info);
  const auto parameters = args.Ints(2);
  if (parameters.size() < kParameters) return nullptr;
  const auto policy = args.Bool(4) ? Decoder::Policy::kResynchronise : Decoder::Policy::kStop;
  auto framing = MakeFraming(args.Int(0), args.Word(1), parameters, args.Bytes(3));
  const auto control = static_cast<uint32_t>(args.Int(5));
  return Wrap(env, std::make_unique<Decoder>(std::move(framing), policy, control));
}

// The first words of the records, before the frames: lib/binding.ts names them.
enum Word { kFrames, kConsumed, kRoom, kFault, kHeld, kInStore, kWords };

constexpr size_t kWordsOfFrame = sizeof(FrameRecord) / sizeof(int32_t);

std::span<FrameRecord> FramesIn(std::span<int32_t> records) {
  const auto frames = records.subspan(kWords);
  return {reinterpret_cast<FrameRecord*>(frames.data()), frames.size() / kWordsOfFrame};
}

// What a call came to: its Decoder::Stop, with the rest in the records.
napi_value Report(napi_env env, const Decoder& decoder, const Decoder::Result& result,
                  std::span<int32_t> records, size_t from = 0) {
  if (!result.in_store) {
    for (FrameRecord& frame : FramesIn(records).first(result.frames)) {
      frame.at += static_cast<uint32_t>(from);
    }
  }
  records[kFrames] = static_cast<int32_t>(result.frames);
  records[kConsumed] = static_cast<int32_t>(from + result.consumed);
  records[kRoom] = static_cast<int32_t>(result.room);
  records[kFault] = static_cast<int32_t>(result.fault);
  records[kHeld] = static_cast<int32_t>(decoder.held());
  records[kInStore] = result.in_store ? 1 : 0;
  return Number(env, int64_t{static_cast<int32_t>(result.stop)});
}

// decode(decoder, chunk, from, to, store, records): goes on with that part of the chunk
napi_value Decode(napi_env env, napi_callback_info info) {
  const Args<6> args(env, info);
  Decoder* decoder = args.Wrapped<Decoder>(0);
  const auto records = args.Ints(5);
  if (decoder == nullptr || records.size() < kWords + kWordsOfFrame) return nullptr;
  const auto chunk = args.Bytes(1);
  const size_t to = std::min<size_t>(args.Word(3), chunk.size());
  const size_t from = std::min<size_t>(args.Word(2), to);
  const auto part = chunk.subspan(from, to - from);
  const auto result = decoder->Decode(part, args.Bytes(4), FramesIn(records));
  return Report(env, *decoder, result, records, from);
}

// finishDecoding(decoder, store, records): the stream is at its end
napi_value FinishDecoding(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  Decoder* decoder = args.Wrapped<Decoder>(0);
  const auto records = args.Ints(2);
  if (decoder == nullptr || records.size() < kWords + kWordsOfFrame) return nullptr;
  const auto result = decoder->Finish(args.Bytes(1), FramesIn(records));
  return Report(env, *decoder, result, records);
}

napi_value DecoderNumber(napi_env env, napi_callback_info info,
                         uint64_t (Decoder::*number)() const) {
  const Args<1> args(env, info);
  const Decoder* decoder = args.Wrapped<Decoder>(0);
  return decoder == nullptr ? nullptr : Number(env, static_cast<double>((decoder->*number)()));
}

// decoderPosition(decoder): where in the stream the next frame begins, or the bad one does
napi_value DecoderPosition(napi_env env, napi_callback_info info) {
  return DecoderNumber(env, info, &Decoder::position);
}

// decoderBadFrames(decoder), decoderSkipped(decoder): what resynchronising left out
napi_value DecoderBadFrames(napi_env env, napi_callback_info info) {
  return DecoderNumber(env, info, &Decoder::bad_frames);
}

napi_value DecoderSkipped(napi_env env, napi_callback_info info) {
  return DecoderNumber(env, info, &Decoder::skipped);
}

// sealFrames(commandBytes, crcOver, bytes, from, to): fills in the CRCs of the frames there
napi_value SealFrames(napi_env env, napi_callback_info info) {
  const Args<5> args(env, info);
  const auto bytes = args.Bytes(2);
  const size_t to = std::min<size_t>(args.Word(4), bytes.size());
  const size_t from = std::min<size_t>(args.Word(3), to);
  const HeaderBody::Layout layout = {0, args.Word(0), args.Word(1)};
  HeaderBody(layout, UINT32_MAX).Seal(bytes.subspan(from, to - from));
  return nullptr;
}

}  // namespace

std::span<const Function> CodecFunctions() {
  static constexpr Function kFunctions[] = {
      {"crc32", Crc32Of},
      {"makeDecoder", MakeDecoder},
      {"decode", Decode},
      {"finishDecoding", FinishDecoding},
      {"decoderPosition", DecoderPosition},
      {"decoderBadFrames", DecoderBadFrames},
      {"decoderSkipped", DecoderSkipped},
      {"sealFrames", SealFrames},
  };
  return kFunctions;
}

}  // namespace spliceway
