// Calls that every handle takes. Those that JavaScript makes on the way of each byte return numbers
// (a count, a negative errno, a code of core/status.h); the others throw.
#include <algorithm>
#include <cmath>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "core/packet.h"
#include "core/stream.h"
#include "sys/clock.h"
#include "sys/socket.h"

namespace spliceway {
namespace {

constexpr double kLatestMs = 9e12;  // in 2255; in nanoseconds it is still an int64_t

// awaitNotice(id, side, mode)
napi_value AwaitNotice(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  if (Pollable* handle = args.reactor().Find(args.Int(0))) {
    handle->SetAwait(static_cast<Side>(args.Int(1)), static_cast<Await>(args.Int(2)));
    args.environment().SyncRef();
  }
  return nullptr;
}

// awaitEdge(id, side): 0, a negative errno or kClosed
napi_value AwaitEdge(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return Number(env, int64_t{kClosed});
  const Status status = handle->AwaitEdge(static_cast<Side>(args.Int(1)));
  args.environment().SyncRef();
  return Number(env, int64_t{-status.error().number});
}

// wakeUp(id, side): a call there is worth trying, though no event says so
napi_value WakeUp(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  if (Pollable* handle = args.reactor().Find(args.Int(0))) {
    handle->WakeUp(static_cast<Side>(args.Int(1)));
  }
  return nullptr;
}

// A wall-clock instant on the monotonic clock. NaN stands for "never". In integers, because a
// double of as many nanoseconds is off by up to 128 of them, and no deadline may pass early.
int64_t ToMonotonic(double epoch_ms) {
  if (!(epoch_ms == epoch_ms)) return kNever;
  if (epoch_ms <= 0) return 1;
  if (epoch_ms >= kLatestMs) return kNever - 1;
  const double whole_ms = std::floor(epoch_ms);
  const auto fraction_ns = static_cast<int64_t>(std::ceil((epoch_ms - whole_ms) * 1e6));
  const int64_t at_wall = static_cast<int64_t>(whole_ms) * 1'000'000 + fraction_ns;
  return std::max<int64_t>(MonotonicAt(at_wall), 1);
}

// setDeadline(id, sides, epochMs): bits of the sides that lie in the past; kClosed
napi_value SetDeadline(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return Number(env, int64_t{kClosed});
  const int sides = args.Int(1);
  const int64_t when = ToMonotonic(args.Number(2));
  int64_t past = 0;
  if ((sides & 1) != 0 && handle->SetDeadline(Side::kRead, when)) past |= 1;
  if ((sides & 2) != 0 && handle->SetDeadline(Side::kWrite, when)) past |= 2;
  return Number(env, past);
}

// state(id): 1 read deadline passed, 2 write deadline passed, 4 used (a stream), 8 lent to a
// transfer; kClosed
napi_value State(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return Number(env, int64_t{kClosed});
  int64_t bits = 0;
  if (handle->Expired(Side::kRead)) bits |= 1;
  if (handle->Expired(Side::kWrite)) bits |= 2;
  if (const auto* stream = args.Handle<Stream>(0); stream != nullptr && stream->used()) bits |= 4;
  if (handle->lent(Side::kRead) || handle->lent(Side::kWrite)) bits |= 8;
  return Number(env, bits);
}

// setRef(id, on)
napi_value SetRef(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  if (Pollable* handle = args.reactor().Find(args.Int(0))) {
    handle->SetRef(args.Bool(1));
    args.environment().SyncRef();
  }
  return nullptr;
}

// close(id): whether it was open
napi_value Close(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return Boolean(env, false);
  args.reactor().Close(handle);
  args.environment().SyncRef();
  return Boolean(env, true);
}

// descriptor(id): the number, for as long as the handle stays open; -1 when it is closed
napi_value Descriptor(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return Number(env, int64_t{-1});
  handle->MarkMayLinger();
  return Number(env, int64_t{handle->fd()});
}

// detach(id): the descriptor, which now belongs to the caller; -1 when it is closed
napi_value Detach(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return Number(env, int64_t{-1});
  handle->MarkShared();  // so that it is unregistered although it is not closed
  OwnFd fd = args.reactor().Detach(handle);
  args.environment().SyncRef();
  return Number(env, int64_t{fd.Release()});
}

// duplicate(id): a duplicate of the descriptor, which belongs to the caller
napi_value Duplicate(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return Number(env, int64_t{-1});
  auto copy = sys::Duplicate(handle->fd());
  if (!copy.ok()) return ThrowError(env, copy.error());
  handle->MarkShared();
  handle->MarkMayLinger();
  return Number(env, int64_t{copy.value().Release()});
}

napi_value String(napi_env env, const std::string& text) {
  napi_value out = nullptr;
  napi_create_string_utf8(env, text.data(), text.size(), &out);
  return out;
}

// [host, port, scope] of an IP address, [path] of a Unix one
napi_value AddressArray(napi_env env, const SockAddr& addr) {
  napi_value out = nullptr;
  napi_create_array(env, &out);
  if (!addr.is_ip()) {
    napi_set_element(env, out, 0, String(env, addr.Path()));
    return out;
  }
  napi_set_element(env, out, 0, String(env, addr.Host()));
  napi_set_element(env, out, 1, Number(env, int64_t{addr.Port()}));
  napi_set_element(env, out, 2, Number(env, int64_t{addr.Scope()}));
  return out;
}

// localAddr(id); undefined when the handle is closed
napi_value LocalAddr(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const Pollable* handle = args.reactor().Find(args.Int(0));
  if (handle == nullptr) return nullptr;
  const auto addr = sys::LocalAddr(handle->fd());
  return addr.ok() ? AddressArray(env, addr.value()) : ThrowError(env, addr.error());
}

// peerAddr(id) of a stream, as it was when the connection was made, or of a connected packet
// socket; undefined when there is none, or it is closed
napi_value PeerAddr(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (const auto* stream = args.Handle<Stream>(0)) return AddressArray(env, stream->peer());
  const auto* socket = args.Handle<PacketSocket>(0);
  if (socket == nullptr) return nullptr;
  const auto peer = sys::PeerAddr(socket->fd());
  return peer.ok() ? AddressArray(env, peer.value()) : nullptr;
}

}  // namespace

std::span<const Function> HandleFunctions() {
  static constexpr Function kFunctions[] = {
      {"awaitNotice", AwaitNotice},
      {"awaitEdge", AwaitEdge},
      {"wakeUp", WakeUp},
      {"setDeadline", SetDeadline},
      {"state", State},
      {"setRef", SetRef},
      {"close", Close},
      {"descriptor", Descriptor},
      {"detach", Detach},
      {"duplicate", Duplicate},
      {"localAddr", LocalAddr},
      {"peerAddr", PeerAddr},
  };
  return kFunctions;
}

}  // namespace spliceway
