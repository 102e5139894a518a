// From nothing to a connection or a listener, one system call at a time, so that lib/ can name the
// one that failed and run a caller's hook in between.
#include "core/socket.h"

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"

namespace spliceway {
namespace {

// openSocket(family, type, protocol): its id. type: 0 stream, 1 packets,
// 2 datagrams, 3 raw IP
napi_value OpenSocket(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  const auto family = args.Int(0) == 4   ? sys::Family::kIp4
                      : args.Int(0) == 6 ? sys::Family::kIp6
                                         : sys::Family::kUnix;
  const auto type = static_cast<sys::SocketType>(args.Int(1));
  auto fd = sys::Socket(family, type, args.Int(2));
  if (!fd.ok()) return ThrowError(env, fd.error());
  const auto kind = type == sys::SocketType::kPacket ? Stream::Kind::kPackets
                    : family == sys::Family::kUnix   ? Stream::Kind::kUnix
                                                     : Stream::Kind::kTcp;
  Reactor& reactor = args.reactor();
  auto* socket = reactor.Adopt(std::make_unique<Socket>(&reactor, std::move(fd.value()), kind));
  if (socket == nullptr) return ThrowError(env, Error{"socket", ENFILE});
  return Number(env, int64_t{socket->id()});
}

// bind(id, family, host, port, scope)
napi_value Bind(napi_env env, napi_callback_info info) {
  const Args<5> args(env, info);
  const auto addr = args.Address(1);
  const auto* socket = args.Handle<Socket>(0);
  if (!addr || socket == nullptr) return ThrowError(env, Error{"bind", EINVAL});
  const Status bound = sys::Bind(socket->fd(), *addr);
  return bound.ok() ? nullptr : ThrowError(env, bound.error());
}

// listen(id, backlog): the listener's id, in place of the socket's. backlog 0: the system's limit
napi_value Listen(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto* socket = args.Handle<Socket>(0);
  if (socket == nullptr) return ThrowError(env, Error{"listen", EBADF});
  auto reserve = sys::OpenReserve();
  if (!reserve.ok()) return ThrowError(env, reserve.error());
  const int backlog = args.Int(1) > 0 ? args.Int(1) : sys::MaxBacklog();
  const auto listener = socket->Listen(backlog, std::move(reserve.value()));
  if (!listener.ok()) return ThrowError(env, listener.error());
  args.reactor().Close(socket);
  return Number(env, int64_t{listener.value()->id()});
}

// connect(id, family, host, port, scope): 0, kAgain (a notice follows) or a negative errno
napi_value Connect(napi_env env, napi_callback_info info) {
  const Args<5> args(env, info);
  const auto addr = args.Address(1);
  auto* socket = args.Handle<Socket>(0);
  if (!addr || socket == nullptr) return Number(env, int64_t{-EINVAL});
  const int64_t result = socket->Connect(*addr);
  // As a number it would be kAgain, and the notice never comes.
  if (result == -EAGAIN) return ThrowError(env, Error{"connect", EAGAIN});
  return Number(env, result == -EINPROGRESS ? int64_t{kAgain} : result);
}

// finishConnect(id, resumed): the stream's id, in place of the socket's; kAgain (a notice follows)
// or a negative errno
napi_value FinishConnect(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto* socket = args.Handle<Socket>(0);
  if (socket == nullptr) return Number(env, int64_t{kClosed});
  Stream* stream = nullptr;
  const int64_t result = socket->FinishConnect(args.When(1), &stream);
  if (result == kAgain) socket->SetAwait(Side::kWrite, Await::kOnce);
  if (result == 0) args.reactor().Close(socket);
  args.environment().SyncRef();
  return Number(env, result == 0 ? int64_t{stream->id()} : result);
}

}  // namespace

std::span<const Function> SocketFunctions() {
  static constexpr Function kFunctions[] = {
      {"openSocket", OpenSocket},       {"bind", Bind}, {"listen", Listen}, {"connect", Connect},
      {"finishConnect", FinishConnect},
  };
  return kFunctions;
}

}  // namespace spliceway
