// Relays and copies: the waiting for their turn, and what becomes of them, stay JavaScript's.
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "relay/transfer_handle.h"

namespace spliceway {
namespace {

// What beginFlow answers.
constexpr int64_t kBegun = 0;
constexpr int64_t kSourceRefused = 1;
constexpr int64_t kSinkRefused = 2;

// The end whose stream stands at i, or else the file at j, of which it keeps a duplicate: the
// caller may close its FileHandle at any time, and the number could then be somebody else's.
template <size_t N>
Result<TransferHandle::End> EndAt(const Args<N>& args, size_t i, size_t j) {
  if (args.Int(j) < 0) return TransferHandle::End{args.Int(i), OwnFd()};
  auto file = sys::Duplicate(args.Int(j));
  if (!file.ok()) return file.error();
  return TransferHandle::End{-1, std::move(file.value())};
}

// Longer than a machine is up is for ever.
int64_t ToNanoseconds(double ms) {
  constexpr double kLongestMs = 1e12;
  return ms < kLongestMs ? static_cast<int64_t>(ms * 1e6) : 0;
}

// openTransfer(streamA, streamB, fileA, fileB, relay, idleMs, halfCloseMs): its id. Of each end
// the stream or the file is -1; 0 ms are for ever
napi_value OpenTransfer(napi_env env, napi_callback_info info) {
  const Args<7> args(env, info);
  auto a = EndAt(args, 0, 2);
  if (!a.ok()) return ThrowError(env, a.error());
  auto b = EndAt(args, 1, 3);
  if (!b.ok()) return ThrowError(env, b.error());
  auto& environment = args.environment();
  TransferHandle* handle = args.reactor().Adopt(std::make_unique<TransferHandle>(
      &args.reactor(), &environment.transfers(), std::move(a.value()), std::move(b.value())));
  if (handle == nullptr) return ThrowError(env, Error{"epoll_ctl", ENFILE});
  const TransferOptions options{args.Bool(4), ToNanoseconds(args.Number(5)),
                                ToNanoseconds(args.Number(6))};
  if (const Status started = handle->Start(options); !started.ok()) {
    args.reactor().Close(handle);
    return ThrowError(env, started.error());
  }
  return Number(env, int64_t{handle->id()});
}

template <size_t N>
std::vector<uint8_t> CopyOf(const Args<N>& args, size_t i) {
  const auto bytes = args.Bytes(i);
  return {bytes.begin(), bytes.end()};
}

// beginFlow(id, flow, limit, rate, offset, first, last): lends its ends and begins. limit < 0:
// none; rate in bytes a second, 0: none; offset in a file, -1: its own position; first and last:
// bytes or undefined. Where an end refuses, the scratch buffer starts with the reason.
napi_value BeginFlow(napi_env env, napi_callback_info info) {
  const Args<7> args(env, info);
  auto* handle = args.Handle<TransferHandle>(0);
  if (handle == nullptr) return Number(env, kSourceRefused);
  FlowOptions options;
  if (args.Number(2) >= 0) options.limit = static_cast<uint64_t>(args.Number(2));
  options.rate = static_cast<uint64_t>(args.Number(3));
  options.offset = static_cast<int64_t>(args.Number(4));
  options.first = CopyOf(args, 5);
  options.last = CopyOf(args, 6);
  const auto refusal = handle->Begin(args.Int(1), std::move(options));
  args.environment().SyncRef();
  *reinterpret_cast<int32_t*>(args.environment().scratch()) =
      refusal.at_source + refusal.at_sink;  // one of them is 0
  if (refusal.at_source != 0) return Number(env, kSourceRefused);
  return Number(env, refusal.at_sink != 0 ? kSinkRefused : kBegun);
}

// nudgeFlow(id, flow): something happened to an end that no event tells of
napi_value NudgeFlow(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  if (auto* handle = args.Handle<TransferHandle>(0)) handle->Nudge(args.Int(1));
  return nullptr;
}

// expireFlow(id, flow, side, expired): the deadline of that side has passed, or was moved again
napi_value ExpireFlow(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  if (auto* handle = args.Handle<TransferHandle>(0)) {
    handle->SetExpired(args.Int(1), static_cast<Side>(args.Int(2)), args.Bool(3));
  }
  return nullptr;
}

// stopTransfer(id): it will be told that it is over
napi_value StopTransfer(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (auto* handle = args.Handle<TransferHandle>(0)) handle->Stop();
  args.environment().SyncRef();
  return nullptr;
}

// delivered(id, flow): bytes that the sink has taken so far
napi_value Delivered(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto* handle = args.Handle<TransferHandle>(0);
  const uint64_t bytes = handle == nullptr ? 0 : handle->delivered(args.Int(1));
  return Number(env, static_cast<double>(bytes));
}

// finishTransfer(id), once it is over: gives the connections back and forgets it. The scratch
// buffer then starts with the words of a TransferResult. 0, or a negative errno where a connection
// could not be taken back and is of no more use
napi_value FinishTransfer(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  auto* handle = args.Handle<TransferHandle>(0);
  if (handle == nullptr) return Number(env, int64_t{kClosed});
  const TransferResult& result = handle->result();
  auto* out = reinterpret_cast<int32_t*>(args.environment().scratch());
  out[0] = static_cast<int32_t>(result.reason);
  out[1] = result.ended_by;
  out[2] = -result.error;
  out[3] = result.failed_flow;
  out[4] = result.failed_at_sink ? 1 : 0;
  const Status returned = handle->ReturnLoans();
  args.reactor().Close(handle);
  args.environment().SyncRef();
  return Number(env, int64_t{-returned.error().number});
}

}  // namespace

std::span<const Function> TransferFunctions() {
  static constexpr Function kFunctions[] = {
      {"openTransfer", OpenTransfer},     {"beginFlow", BeginFlow},
      {"expireFlow", ExpireFlow},         {"nudgeFlow", NudgeFlow},
      {"stopTransfer", StopTransfer},     {"delivered", Delivered},
      {"finishTransfer", FinishTransfer},
  };
  return kFunctions;
}

}  // namespace spliceway
