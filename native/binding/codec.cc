// The codec library, for JavaScript. Memory of JavaScript's is looked up in the call that uses it.
#include <algorithm>

#include "binding/args.h"
#include "binding/functions.h"
#include "codec/crc32.h"

namespace spliceway {
namespace {

// crc32(bytes, length, crc): of the first so many bytes
napi_value Crc32Of(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  const auto bytes = args.Bytes(0);
  const size_t length = std::min<size_t>(static_cast<size_t>(args.Number(1)), bytes.size());
  return Number(env, int64_t{Crc32(bytes.first(length), args.Word(2))});
}

}  // namespace

std::span<const Function> CodecFunctions() {
  static constexpr Function kFunctions[] = {
      {"crc32", Crc32Of},
  };
  return kFunctions;
}

}  // namespace spliceway
