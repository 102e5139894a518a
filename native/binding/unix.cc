// What only Unix sockets can do.
#include "sys/unix.h"

#include <algorithm>
#include <cerrno>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "core/stream.h"

namespace spliceway {
namespace {

// peerCredentials(id): the scratch buffer then starts with uid, gid and pid; -1 for a pid that is
// not told
napi_value PeerCredentials(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return ThrowError(env, Error{"getsockopt", EBADF});
  const auto peer = sys::PeerCredentials(stream->fd());
  if (!peer.ok()) return ThrowError(env, peer.error());
  auto* out = reinterpret_cast<int32_t*>(args.environment().scratch());
  out[0] = static_cast<int32_t>(peer.value().uid);
  out[1] = static_cast<int32_t>(peer.value().gid);
  out[2] = static_cast<int32_t>(peer.value().pid.value_or(-1));
  return nullptr;
}

// sendFds(id, resumed, p, fds): as write
napi_value SendFds(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr) return Number(env, int64_t{kClosed});
  const auto bytes = args.Bytes(2);
  return Number(env, stream->SendFds(bytes.data(), bytes.size(), args.Ints(3), args.When(1)));
}

// receiveFds(id, resumed, max, out): as read, into the scratch buffer, but awaits nothing. out[0]
// is then the number of descriptors, or -1 where there were too many; they follow from out[1] on.
napi_value ReceiveFds(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  const auto out = args.Ints(3);
  if (stream == nullptr || out.empty()) return Number(env, int64_t{kClosed});
  const auto room = std::min<size_t>(out.size() - 1, static_cast<size_t>(args.Int(2)));
  const auto received =
      stream->ReceiveFds(args.environment().scratch(), args.environment().scratch_size(),
                         out.subspan(1, room), args.When(1));
  out[0] = received.truncated ? -1 : static_cast<int32_t>(received.count);
  return Number(env, received.bytes);
}

}  // namespace

std::span<const Function> UnixFunctions() {
  static constexpr Function kFunctions[] = {
      {"peerCredentials", PeerCredentials}, {"sendFds", SendFds}, {"receiveFds", ReceiveFds}};
  return kFunctions;
}

}  // namespace spliceway
