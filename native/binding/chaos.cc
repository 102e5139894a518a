// Proxies that impair what they forward, each on a thread of its own.
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "chaos/chaos_handle.h"
#include "core/listener.h"

namespace spliceway {
namespace {

int64_t Nanoseconds(double ms) { return static_cast<int64_t>(ms * 1e6); }

// openChaos(listener, family, host, port, scope, seed): its id. Lends the listener, which is to be
// closed when the proxy is; accepts nothing before beginChaos
napi_value OpenChaos(napi_env env, napi_callback_info info) {
  const Args<6> args(env, info);
  auto* listener = args.Handle<Listener>(0);
  const auto target = args.Address(1);
  if (listener == nullptr || !target) return ThrowError(env, Error{"connect", EINVAL});
  const auto seed = static_cast<uint64_t>(args.Number(5));
  auto proxy = ChaosProxy::Start({listener->fd(), *target, seed});
  if (!proxy.ok()) return ThrowError(env, proxy.error());
  Reactor& reactor = args.reactor();
  auto* handle = reactor.Adopt(std::make_unique<ChaosHandle>(&reactor, listener->Lend(Side::kRead),
                                                             std::move(proxy.value())));
  if (handle == nullptr) return ThrowError(env, Error{"epoll_ctl", ENFILE});
  args.environment().SyncRef();
  return Number(env, int64_t{handle->id()});
}

// setChaos(id, direction, delayMs, jitterMs, loss, retransmitMs, bandwidth, slice, sliceGapMs,
// blackHole)
napi_value SetChaos(napi_env env, napi_callback_info info) {
  const Args<10> args(env, info);
  auto* handle = args.Handle<ChaosHandle>(0);
  if (handle == nullptr) return nullptr;
  handle->proxy().SetImpairment(args.Int(1), {
                                                 .delay_ns = Nanoseconds(args.Number(2)),
                                                 .jitter_ns = Nanoseconds(args.Number(3)),
                                                 .loss = args.Number(4),
                                                 .retransmit_ns = Nanoseconds(args.Number(5)),
                                                 .bandwidth = static_cast<uint64_t>(args.Number(6)),
                                                 .slice = args.Word(7),
                                                 .slice_gap_ns = Nanoseconds(args.Number(8)),
                                                 .black_hole = args.Bool(9),
                                             });
  return nullptr;
}

// beginChaos(id): accepts from now on
napi_value BeginChaos(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (auto* handle = args.Handle<ChaosHandle>(0)) handle->proxy().Begin();
  return nullptr;
}

// resetChaos(id): every connection, both sides
napi_value ResetChaos(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (auto* handle = args.Handle<ChaosHandle>(0)) handle->proxy().ResetAll();
  return nullptr;
}

// chaosCounters(id, out): accepted, active, failed; bytes, segments and lost of each direction.
// Nothing is written once it is closed
napi_value CountersOf(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto* handle = args.Handle<ChaosHandle>(0);
  const auto out = args.Doubles(1);
  if (handle == nullptr || out.size() < 9) return nullptr;
  const auto& counters = handle->proxy().counters();
  const auto& to_target = handle->proxy().counters(0);
  const auto& to_client = handle->proxy().counters(1);
  const std::atomic<uint64_t>* all[] = {&counters.accepted, &counters.active,    &counters.failed,
                                        &to_target.bytes,   &to_target.segments, &to_target.lost,
                                        &to_client.bytes,   &to_client.segments, &to_client.lost};
  for (size_t i = 0; i < std::size(all); ++i) {
    out[i] = static_cast<double>(all[i]->load(std::memory_order_relaxed));
  }
  return nullptr;
}

}  // namespace

std::span<const Function> ChaosFunctions() {
  static constexpr Function kFunctions[] = {
      {"openChaos", OpenChaos},   {"setChaos", SetChaos},        {"beginChaos", BeginChaos},
      {"resetChaos", ResetChaos}, {"chaosCounters", CountersOf},
  };
  return kFunctions;
}

}  // namespace spliceway
