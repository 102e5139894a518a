// Options of datagram sockets. All throw, as in option.cc.
#include "sys/multicast.h"

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "sys/sockopt.h"

namespace spliceway {
namespace {

template <auto Set>
napi_value Apply(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  const Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return ThrowError(env, Error{"setsockopt", EBADF});
  const Status status = Set(handle->fd(), args.Int(1));
  return status.ok() ? nullptr : ThrowError(env, status.error());
}

Status Broadcast(int fd, int on) { return sys::SetBroadcast(fd, on != 0); }
Status Interface(int fd, int index) {
  return sys::SetMulticastInterface(fd, static_cast<unsigned>(index));
}
Status Loopback(int fd, int on) { return sys::SetMulticastLoopback(fd, on != 0); }
Status Share(int fd, int) { return sys::ShareForMulticast(fd); }

// joinGroup(id, join, interface, group, source); an empty source is none
napi_value ChangeMembership(napi_env env, napi_callback_info info) {
  const Args<5> args(env, info);
  const Pollable* handle = args.reactor().Find(args.Int(0));
  const auto group = SockAddr::Ip(args.Text(3).c_str(), 0, 0);
  const auto source = SockAddr::Ip(args.Text(4).c_str(), 0, 0);
  if (handle == nullptr || !group) return ThrowError(env, Error{"setsockopt", EINVAL});
  const auto change = args.Bool(1) ? sys::JoinGroup : sys::LeaveGroup;
  const Status status =
      change(handle->fd(), static_cast<unsigned>(args.Int(2)), *group, source ? &*source : nullptr);
  return status.ok() ? nullptr : ThrowError(env, status.error());
}

// interfaceIndex(name): 0 if there is none of that name
napi_value InterfaceIndex(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  return Number(env, int64_t{sys::InterfaceIndex(args.Text(0).c_str())});
}

}  // namespace

std::span<const Function> MulticastFunctions() {
  static constexpr Function kFunctions[] = {
      {"setBroadcast", Apply<Broadcast>},
      {"setHops", Apply<sys::SetHops>},
      {"setMulticastHops", Apply<sys::SetMulticastHops>},
      {"setMulticastInterface", Apply<Interface>},
      {"setMulticastLoopback", Apply<Loopback>},
      {"shareForMulticast", Apply<Share>},
      {"changeMembership", ChangeMembership},
      {"interfaceIndex", InterfaceIndex},
  };
  return kFunctions;
}

}  // namespace spliceway
