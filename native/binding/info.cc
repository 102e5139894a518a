// What the kernel knows of a socket, as plain objects.
#include "sys/info.h"

#include <cerrno>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"

namespace spliceway {
namespace {

napi_value Value(napi_env env, const sys::Fact& fact) {
  if (fact.text == nullptr) return Number(env, fact.value);
  napi_value out = nullptr;
  napi_create_string_utf8(env, fact.text, NAPI_AUTO_LENGTH, &out);
  return out;
}

// One export for each kind of socket: info(id), an object with what there is. Throws EBADF for one
// that is closed.
template <auto Ask>
napi_value Info(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return ThrowError(env, Error{"getsockopt", EBADF});
  const auto facts = Ask(handle->fd());
  if (!facts.ok()) return ThrowError(env, facts.error());
  napi_value out = nullptr;
  napi_create_object(env, &out);
  for (const sys::Fact& fact : facts.value()) {
    napi_set_named_property(env, out, fact.name, Value(env, fact));
  }
  return out;
}

}  // namespace

std::span<const Function> InfoFunctions() {
  static constexpr Function kFunctions[] = {{"tcpInfo", Info<sys::TcpInfo>},
                                            {"queueInfo", Info<sys::QueueInfo>},
                                            {"listenInfo", Info<sys::ListenInfo>}};
  return kFunctions;
}

}  // namespace spliceway
