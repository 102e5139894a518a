// Sessions: connections of frames on an I/O thread, with a heartbeat.
#include <algorithm>
#include <memory>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/health.h"
#include "session/session_handle.h"
#include "sys/clock.h"

namespace spliceway {
namespace {

template <size_t N>
SessionOptions OptionsAt(const Args<N>& args, size_t i) {
  const auto layout = args.Ints(i);
  const HeaderBody::Layout of_frames = {static_cast<uint8_t>(layout[0]),
                                        static_cast<size_t>(layout[1]),
                                        static_cast<size_t>(layout[2])};
  const auto first = args.Bytes(i + 6);
  const Wire wire(of_frames, static_cast<size_t>(args.Number(i + 1)));
  return {wire,
          static_cast<size_t>(args.Number(i + 2)),
          static_cast<int64_t>(args.Number(i + 3) * 1e6),
          HealthOptionsIn(args.Doubles(i + 4)),
          args.Word(i + 5),
          std::vector<uint8_t>(first.begin(), first.end())};
}

// openSession(stream, layout, maxFrame, window, frameTimeoutMs, health, seed, first): its id, or
// why the connection cannot be lent. layout: version, bytes of a command, bytes under the CRC;
// first: bytes or undefined
napi_value OpenSession(napi_env env, napi_callback_info info) {
  const Args<8> args(env, info);
  auto* stream = args.Handle<Stream>(0);
  if (stream == nullptr || args.Ints(1).size() < 3) return Number(env, int64_t{kClosed});
  auto& environment = args.environment();
  auto* handle = args.reactor().Adopt(
      std::make_unique<SessionHandle>(&args.reactor(), &environment.sessions()));
  if (handle == nullptr) return ThrowError(env, Error{"epoll_ctl", ENFILE});
  int32_t refusal = 0;
  const Status started = handle->Start(stream, OptionsAt(args, 1), &refusal);
  if (!started.ok() || refusal != 0) args.reactor().Close(handle);
  if (!started.ok()) return ThrowError(env, started.error());
  if (refusal != 0) return Number(env, int64_t{refusal});
  environment.SyncRef();
  return Number(env, int64_t{handle->id()});
}

// What JavaScript is told of a session that has ended, in place of anything else.
int64_t ErrorOf(Session& session) {
  const int error = session.sender().error();
  if (error != 0) return -error;
  return session.over() ? kClosed : 0;
}

// takeFrames(id, max): bytes of whole frames into the scratch buffer; 0 at the end
napi_value TakeFrames(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto* handle = args.Handle<SessionHandle>(0);
  if (handle == nullptr) return Number(env, int64_t{kClosed});
  const size_t room = std::min<size_t>(args.environment().scratch_size(), args.Int(1));
  return Number(env, handle->Take({args.environment().scratch(), room}));
}

// putFrames(id, list): all of them, whole frames. 1: the kernel has them; 0: the notice comes when
// it has; or a negative errno or code
napi_value PutFrames(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto* handle = args.Handle<SessionHandle>(0);
  if (handle == nullptr) return Number(env, int64_t{kClosed});
  uint32_t length = 0;
  napi_get_array_length(env, args[1], &length);
  std::vector<Bytes> slices;
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element = nullptr;
    if (napi_get_element(env, args[1], i, &element) != napi_ok) break;
    slices.push_back(Args<2>::ViewBytes(env, element));
  }
  bool waits = false;
  handle->Put(slices, &waits);
  const int64_t error = ErrorOf(handle->session());
  return Number(env, error != 0 ? error : int64_t{waits ? 0 : 1});
}

// framesSent(id): bytes of the owner's that the kernel has taken
napi_value FramesSent(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  auto* handle = args.Handle<SessionHandle>(0);
  const uint64_t sent = handle == nullptr ? 0 : handle->session().sender().sent();
  return Number(env, static_cast<double>(sent));
}

// sendCredit(id): bytes of frames that the peer is still ready to take
napi_value SendCredit(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  auto* handle = args.Handle<SessionHandle>(0);
  const uint64_t credit = handle == nullptr ? 0 : handle->session().sender().credit();
  return Number(env, static_cast<double>(credit));
}

// finishFrames(id): FIN, after all that was put
napi_value FinishFrames(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (auto* handle = args.Handle<SessionHandle>(0)) handle->Finish();
  return nullptr;
}

// setSessionInterval(id, ms)
napi_value SetSessionInterval(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  if (auto* handle = args.Handle<SessionHandle>(0)) {
    handle->SetInterval(static_cast<int64_t>(args.Number(1) * 1e6));
  }
  return nullptr;
}

// sessionFigures(id, values): as native/binding/health.cc has them
napi_value SessionFigures(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  if (auto* handle = args.Handle<SessionHandle>(0)) {
    PutFigures(handle->session().figures(), MonotonicNow(), args.Doubles(1));
  }
  return nullptr;
}

// sessionTransitions(id): what changed since the last call
napi_value SessionTransitions(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  auto* handle = args.Handle<SessionHandle>(0);
  if (handle == nullptr) return nullptr;
  return TransitionsOf(env, handle->session().TakeTransitions(), MonotonicNow());
}

// stopSession(id): it will be told that it is over
napi_value StopSession(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (auto* handle = args.Handle<SessionHandle>(0)) handle->Stop();
  args.environment().SyncRef();
  return nullptr;
}

// sessionEnd(id): undefined while it runs; else [how, errno], of SessionEnd
napi_value SessionEndOf(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  auto* handle = args.Handle<SessionHandle>(0);
  if (handle == nullptr || !handle->finished()) return nullptr;
  const SessionResult result = handle->session().result();
  napi_value out = nullptr;
  napi_create_array_with_length(env, 2, &out);
  napi_set_element(env, out, 0, Number(env, static_cast<int64_t>(result.end)));
  napi_set_element(env, out, 1, Number(env, int64_t{-result.error}));
  return out;
}

// closeSession(id), once it is over: lets go of the connection and forgets it
napi_value CloseSession(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (auto* handle = args.Handle<SessionHandle>(0)) args.reactor().Close(handle);
  args.environment().SyncRef();
  return nullptr;
}

}  // namespace

std::span<const Function> SessionFunctions() {
  static constexpr Function kFunctions[] = {
      {"openSession", OpenSession},
      {"takeFrames", TakeFrames},
      {"putFrames", PutFrames},
      {"framesSent", FramesSent},
      {"sendCredit", SendCredit},
      {"finishFrames", FinishFrames},
      {"setSessionInterval", SetSessionInterval},
      {"sessionFigures", SessionFigures},
      {"sessionTransitions", SessionTransitions},
      {"stopSession", StopSession},
      {"sessionEnd", SessionEndOf},
      {"closeSession", CloseSession},
  };
  return kFunctions;
}

}  // namespace spliceway
