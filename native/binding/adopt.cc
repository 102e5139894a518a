// Sockets that somebody else made: inherited, or passed by another process. Until one has become a
// handle nothing here owns it: whatever fails, it stays the caller's and open.
#include <cerrno>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "core/listener.h"
#include "core/packet.h"
#include "core/stream.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

int32_t FamilyNumber(sys::Family family) {
  switch (family) {
    case sys::Family::kIp4: return 4;
    case sys::Family::kIp6: return 6;
    case sys::Family::kUnix: return 1;
  }
  return 0;
}

// describeSocket(fd): the scratch buffer then starts with its family (4, 6, 1 for Unix; 0:
// another), its type (as in openSocket; -1: another) and whether it listens
napi_value DescribeSocket(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const auto described = sys::Describe(args.Int(0));
  if (!described.ok()) return ThrowError(env, described.error());
  const auto& [family, type, listening] = described.value();
  auto* out = reinterpret_cast<int32_t*>(args.environment().scratch());
  out[0] = family ? FamilyNumber(*family) : 0;
  out[1] = type ? static_cast<int32_t>(*type) : -1;
  out[2] = listening ? 1 : 0;
  return nullptr;
}

// As every descriptor of ours is.
Status Prepare(int fd) {
  if (const Status s = sys::SetNonBlocking(fd); !s.ok()) return s;
  return sys::SetCloseOnExec(fd);
}

// The id of a handle that was made for the descriptor, and has it from now on.
template <typename T>
napi_value Adopt(napi_env env, Reactor* reactor, std::unique_ptr<T> object, int number) {
  T* handle = reactor->Adopt(std::move(object));
  if (handle == nullptr) return ThrowError(env, Error{"socket", ENFILE});
  OwnFd fd(number);
  const Status started = handle->StartOn(&fd);
  if (started.ok()) return Number(env, int64_t{handle->id()});
  fd.Release();
  reactor->Close(handle);
  return ThrowError(env, started.error());
}

// adoptStream(fd, kind): the id of a stream on a connected socket
napi_value AdoptStream(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  const int fd = args.Int(0);
  const auto peer = sys::PeerAddr(fd);
  if (!peer.ok()) return ThrowError(env, peer.error());
  if (const Status s = Prepare(fd); !s.ok()) return ThrowError(env, s.error());
  const auto kind = static_cast<Stream::Kind>(args.Int(1));
  Reactor& reactor = args.reactor();
  auto stream = std::make_unique<Stream>(&reactor, OwnFd(), kind);
  stream->SetPeer(peer.value());
  return Adopt(env, &reactor, std::move(stream), fd);
}

// adoptFifo(fd): the id of a stream on one end of a pipe
napi_value AdoptFifo(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const int fd = args.Int(0);
  if (!sys::IsFifo(fd)) return ThrowError(env, Error{"fstat", EINVAL});
  if (const Status s = Prepare(fd); !s.ok()) return ThrowError(env, s.error());
  Reactor& reactor = args.reactor();
  auto stream = std::make_unique<Stream>(&reactor, OwnFd(), Stream::Kind::kFifo);
  return Adopt(env, &reactor, std::move(stream), fd);
}

// adoptListener(fd, kind): the id of a listener on a socket that listens
napi_value AdoptListener(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  const int fd = args.Int(0);
  auto reserve = sys::OpenReserve();
  if (!reserve.ok()) return ThrowError(env, reserve.error());
  if (const Status s = Prepare(fd); !s.ok()) return ThrowError(env, s.error());
  const auto kind = static_cast<Stream::Kind>(args.Int(1));
  Reactor& reactor = args.reactor();
  auto listener = std::make_unique<Listener>(&reactor, OwnFd(), kind, std::move(reserve.value()));
  return Adopt(env, &reactor, std::move(listener), fd);
}

// adoptPackets(fd): the id of a packet socket on one of datagrams
napi_value AdoptPackets(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const int fd = args.Int(0);
  if (const Status s = Prepare(fd); !s.ok()) return ThrowError(env, s.error());
  Reactor& reactor = args.reactor();
  return Adopt(env, &reactor, std::make_unique<PacketSocket>(&reactor, OwnFd()), fd);
}

}  // namespace

std::span<const Function> AdoptFunctions() {
  static constexpr Function kFunctions[] = {{"describeSocket", DescribeSocket},
                                            {"adoptStream", AdoptStream},
                                            {"adoptFifo", AdoptFifo},
                                            {"adoptListener", AdoptListener},
                                            {"adoptPackets", AdoptPackets}};
  return kFunctions;
}

}  // namespace spliceway
