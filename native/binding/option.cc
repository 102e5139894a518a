// Socket options by what they mean. All throw; the handle is known to be open (lib/ asks first),
// and one that was closed meanwhile reports EBADF.
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

// One export for each option: option(id, …integers).
template <auto Set>
napi_value Apply(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  const Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return ThrowError(env, Error{"setsockopt", EBADF});
  const Status status = Set(handle->fd(), args);
  return status.ok() ? nullptr : ThrowError(env, status.error());
}

using A = const Args<4>&;

Status ReuseAddr(int fd, A) { return sys::SetReuseAddr(fd); }
Status ReusePort(int fd, A) { return sys::SetReusePort(fd); }
Status V6Only(int fd, A args) { return sys::SetV6Only(fd, args.Int(1) != 0); }
Status NoDelay(int fd, A args) { return sys::SetNoDelay(fd, args.Int(1) != 0); }
Status KeepAlive(int fd, A args) { return sys::SetKeepAlive(fd, args.Int(1) != 0); }
Status Linger(int fd, A args) { return sys::SetLinger(fd, args.Int(1)); }
Status ReadBuffer(int fd, A args) { return sys::SetReadBuffer(fd, args.Int(1)); }
Status WriteBuffer(int fd, A args) { return sys::SetWriteBuffer(fd, args.Int(1)); }
Status UserTimeout(int fd, A args) { return sys::SetUserTimeout(fd, args.Int(1)); }

Status KeepAliveConfig(int fd, A args) {
  return sys::SetKeepAliveConfig(fd, {args.Int(1), args.Int(2), args.Int(3)});
}

}  // namespace

std::span<const Function> OptionFunctions() {
  static constexpr Function kFunctions[] = {
      {"setReuseAddr", Apply<ReuseAddr>},     {"setReusePort", Apply<ReusePort>},
      {"setV6Only", Apply<V6Only>},           {"setNoDelay", Apply<NoDelay>},
      {"setKeepAlive", Apply<KeepAlive>},     {"setKeepAliveConfig", Apply<KeepAliveConfig>},
      {"setLinger", Apply<Linger>},           {"setReadBuffer", Apply<ReadBuffer>},
      {"setWriteBuffer", Apply<WriteBuffer>}, {"setUserTimeout", Apply<UserTimeout>},
  };
  return kFunctions;
}

}  // namespace spliceway
