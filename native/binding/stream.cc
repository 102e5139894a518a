// Reading and writing. Memory of JavaScript's is looked up in the call that uses it and forgotten
// when that returns, so that it cannot have moved, shrunk or been detached meanwhile.
#include "core/stream.h"

#include <algorithm>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"

namespace spliceway {
namespace {

// Set beside a count: the stream is still thought readable, so another read is worth trying. Above
// any count that a read here returns, since none takes more than the scratch buffer at once.
constexpr int64_t kMore = 1 << 24;

int64_t ReadOnce(const Args<4>& args, Stream* stream, std::span<uint8_t> into, Call call) {
  const size_t room = std::min<size_t>(into.size(), kMore - 1);
  const int64_t got = stream->Read(into.data(), room, call);
  // Whoever is told kAgain waits; handler style awaits each time already.
  if (got == kAgain && !stream->awaited(Side::kRead)) {
    stream->SetAwait(Side::kRead, Await::kOnce);
    args.environment().SyncRef();
  }
  return got > 0 && stream->ready(Side::kRead) ? got | kMore : got;
}

// read(id, resumed, max): into the scratch buffer
napi_value Read(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return Number(env, int64_t{kClosed});
  const size_t room = std::min<size_t>(args.environment().scratch_size(), args.Int(2));
  return Number(env, ReadOnce(args, stream, {args.environment().scratch(), room}, args.When(1)));
}

// readInto(id, resumed, p)
napi_value ReadInto(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return Number(env, int64_t{kClosed});
  return Number(env, ReadOnce(args, stream, args.Bytes(2), args.When(1)));
}

// peek(id, resumed, offset, max): into the scratch buffer, from offset on. Awaits nothing.
napi_value Peek(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return Number(env, int64_t{kClosed});
  const size_t size = args.environment().scratch_size();
  const size_t offset = std::min<size_t>(args.Int(2), size);
  const size_t room = std::min<size_t>(args.Int(3), size - offset);
  return Number(env, stream->Peek(args.environment().scratch() + offset, room, args.When(1)));
}

int64_t WriteOnce(const Args<4>& args, std::span<const uint8_t> bytes) {
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return kClosed;
  return stream->Write(bytes.data(), bytes.size(), args.When(1));
}

// write(id, resumed, p, offset)
napi_value Write(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  const auto bytes = args.Bytes(2);
  const size_t offset = std::min<size_t>(static_cast<size_t>(args.Number(3)), bytes.size());
  return Number(env, WriteOnce(args, bytes.subspan(offset)));
}

// writeScratch(id, resumed, length): what lib/ put into the scratch buffer
napi_value WriteScratch(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  const size_t length = std::min<size_t>(args.Int(2), args.environment().scratch_size());
  return Number(env, WriteOnce(args, {args.environment().scratch(), length}));
}

// writeVector(id, resumed, list, first, offset): list[first] from offset on, and all that follow
napi_value WriteVector(napi_env env, napi_callback_info info) {
  const Args<5> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return Number(env, int64_t{kClosed});
  constexpr uint32_t kAtOnce = 1024;  // IOV_MAX on every system here
  iovec slices[kAtOnce];
  uint32_t length = 0;
  napi_get_array_length(env, args[2], &length);
  size_t skip = static_cast<size_t>(args.Number(4));
  size_t count = 0;
  for (auto i = static_cast<uint32_t>(args.Int(3)); i < length && count < kAtOnce; ++i) {
    napi_value element = nullptr;
    if (napi_get_element(env, args[2], i, &element) != napi_ok) break;
    const auto bytes = Args<5>::ViewBytes(env, element);
    const size_t from = std::min(std::exchange(skip, 0), bytes.size());
    if (from < bytes.size()) slices[count++] = {bytes.data() + from, bytes.size() - from};
  }
  return Number(env, stream->WriteVector(slices, count, args.When(1)));
}

// shutdown(id, how): 0 read, 1 write, 2 both; 0 or a negative errno
napi_value Shutdown(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return Number(env, int64_t{kClosed});
  const Status status = stream->Shutdown(static_cast<sys::ShutdownHow>(args.Int(1)));
  return Number(env, int64_t{-status.error().number});
}

// markNew(id): as if nothing had been read or written
napi_value MarkNew(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (auto* stream = args.Handle<Stream>(0)) stream->MarkNew();
  return nullptr;
}

// rest(id), restAsking(id): what Stream::Rest says; undefined for kAgain
template <bool ask>
napi_value Rest(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return Number(env, int64_t{kClosed});
  const int64_t result = stream->Rest(ask);
  args.environment().SyncRef();
  return result == kAgain ? nullptr : Number(env, result);
}

}  // namespace

std::span<const Function> StreamFunctions() {
  static constexpr Function kFunctions[] = {
      {"read", Read},
      {"readInto", ReadInto},
      {"peek", Peek},
      {"write", Write},
      {"writeVector", WriteVector},
      {"writeScratch", WriteScratch},
      {"shutdown", Shutdown},
      {"markNew", MarkNew},
      {"rest", Rest<false>},
      {"restAsking", Rest<true>},
  };
  return kFunctions;
}

}  // namespace spliceway
