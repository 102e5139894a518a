// Socket options, by what they mean and by number. All throw; the handle is known to be open (lib/
// asks first), and one that was closed meanwhile reports EBADF.
#include <algorithm>
#include <cerrno>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "sys/option_numbers.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

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

// One export for each option: option(id, …integers).
template <auto Set>
napi_value Apply(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return ThrowError(env, Error{"setsockopt", EBADF});
  const Status status = Set(handle->fd(), args);
  if (Set == Linger) handle->MarkMayLinger();
  return status.ok() ? nullptr : ThrowError(env, status.error());
}

// getOption(id, level, name, length): how many bytes of the option's value now stand at the start
// of the scratch buffer
napi_value GetOption(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  const Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return ThrowError(env, Error{"getsockopt", EBADF});
  const size_t length = std::min<size_t>(args.Int(3), args.environment().scratch_size());
  const auto got =
      sys::GetBytes(handle->fd(), args.Int(1), args.Int(2), {args.environment().scratch(), length});
  return got.ok() ? Number(env, static_cast<int64_t>(got.value())) : ThrowError(env, got.error());
}

// setOption(id, level, name, value)
napi_value SetOption(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return ThrowError(env, Error{"setsockopt", EBADF});
  handle->MarkMayLinger();  // whatever was set
  const Status set = sys::SetBytes(handle->fd(), args.Int(1), args.Int(2), args.Bytes(3));
  return set.ok() ? nullptr : ThrowError(env, set.error());
}

// optionNumbers(): { SO_REUSEADDR: 2, … }
napi_value OptionNumbers(napi_env env, napi_callback_info) {
  napi_value out = nullptr;
  napi_create_object(env, &out);
  for (const auto& [name, number] : sys::OptionNumbers()) {
    napi_set_named_property(env, out, name, Number(env, int64_t{number}));
  }
  return out;
}

}  // namespace

std::span<const Function> OptionFunctions() {
  static constexpr Function kFunctions[] = {
      {"setReuseAddr", Apply<ReuseAddr>},
      {"setReusePort", Apply<ReusePort>},
      {"setV6Only", Apply<V6Only>},
      {"setNoDelay", Apply<NoDelay>},
      {"setKeepAlive", Apply<KeepAlive>},
      {"setKeepAliveConfig", Apply<KeepAliveConfig>},
      {"setLinger", Apply<Linger>},
      {"setReadBuffer", Apply<ReadBuffer>},
      {"setWriteBuffer", Apply<WriteBuffer>},
      {"setUserTimeout", Apply<UserTimeout>},
      {"getOption", GetOption},
      {"setOption", SetOption},
      {"optionNumbers", OptionNumbers},
  };
  return kFunctions;
}

}  // namespace spliceway
