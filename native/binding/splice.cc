#include "binding/splice.h"

#include <cerrno>
#include <memory>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "core/stream.h"

namespace spliceway {
namespace {

// What a step answers, besides negative errnos, which are the sink's.
constexpr int64_t kOver = 0;     // the end of the source, delivered
constexpr int64_t kEmpty = 1;    // all is delivered; worth going on when the source is readable
constexpr int64_t kFull = 2;     // the sink is to be awaited, which it is by now
constexpr int64_t kDrained = 3;  // the source was not asked, and all is delivered
constexpr int64_t kBroken = 4;   // the source failed: the scratch buffer starts with its errno

// openSplice(): its id
napi_value OpenSplice(napi_env env, napi_callback_info info) {
  const Args<0> args(env, info);
  SplicePool& pool = args.environment().splices();
  SlotName name;
  auto pump = std::make_unique<Pump>(&pool.pipes, Pump::Kind::kSocket, Pump::Kind::kSocket);
  if (pool.pumps.Insert(std::move(pump), &name)) return Number(env, int64_t{name.id()});
  return ThrowError(env, Error{"pipe2", ENFILE});
}

// closeSplice(id)
napi_value CloseSplice(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  args.environment().splices().pumps.RemoveId(args.Int(0));
  return nullptr;
}

// spliced(id): bytes that the sink has taken so far
napi_value Spliced(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const Pump* pump = args.environment().splices().pumps.FindId(args.Int(0));
  return Number(env, pump == nullptr ? 0.0 : static_cast<double>(pump->delivered()));
}

Pump::Status Step(Pump* pump, const Stream* source, const Stream& sink) {
  if (source != nullptr) return pump->Run(source->fd(), sink.fd());
  return pump->Drain(sink.fd()).value_or(Pump::Status::kSourceEmpty);
}

// Asks for the notice after which another step is worth it.
int64_t AwaitNext(Pump::Status status, Stream* source, Stream* sink) {
  if (status == Pump::Status::kSinkFull) {
    if (const Status s = sink->WriteBlocked(); !s.ok()) return -s.error().number;
    sink->SetAwait(Side::kWrite, Await::kOnce);
    return kFull;
  }
  if (source == nullptr) return kDrained;
  if (status == Pump::Status::kSourceEmpty) {
    source->ReadBlocked();
  } else {
    // Not left to an edge: what the pump has on its way may be the last that there is.
    source->TellNextTurn(Side::kRead);
  }
  return kEmpty;
}

// stepSplice(id, source, sink): moves what can be moved. source -1: delivers what was taken, and
// takes nothing more
napi_value StepSplice(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  Pump* pump = args.environment().splices().pumps.FindId(args.Int(0));
  auto* source = args.Handle<Stream>(1);
  auto* sink = args.Handle<Stream>(2);
  if (pump == nullptr || sink == nullptr) return Number(env, int64_t{-EBADF});
  if (const int32_t refused = sink->Check(Side::kWrite, Call::kNew))
    return Number(env, int64_t{refused});
  const Pump::Status status = Step(pump, source, *sink);
  int64_t answer = kOver;
  if (status == Pump::Status::kSinkFailed) {
    answer = -pump->error();
  } else if (status == Pump::Status::kSourceFailed) {
    *reinterpret_cast<int32_t*>(args.environment().scratch()) = -pump->error();
    answer = kBroken;
  } else if (status != Pump::Status::kEnd) {
    answer = AwaitNext(status, source, sink);
  }
  args.environment().SyncRef();
  return Number(env, answer);
}

}  // namespace

std::span<const Function> SpliceFunctions() {
  static constexpr Function kFunctions[] = {{"openSplice", OpenSplice},
                                            {"closeSplice", CloseSplice},
                                            {"spliced", Spliced},
                                            {"stepSplice", StepSplice}};
  return kFunctions;
}

}  // namespace spliceway
