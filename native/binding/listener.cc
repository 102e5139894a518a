#include "core/listener.h"

#include <algorithm>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"

namespace spliceway {
namespace {

// Connections taken in one call: enough to spread the crossing, few enough to keep a storm of
// connects from holding up the connections that are there (each costs some 20 µs in the kernel).
constexpr size_t kAcceptBatch = 64;

// accept(id, resumed, max): how many ids of new streams now stand at the start of the scratch
// buffer. After kAgain, and after an errno with which the listener pauses, a notice follows.
napi_value Accept(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  auto* listener = args.Handle<Listener>(0);
  if (listener == nullptr) return Number(env, int64_t{kClosed});
  auto* ids = reinterpret_cast<int32_t*>(args.environment().scratch());
  const size_t max = std::min<size_t>(args.Int(2), kAcceptBatch);
  const int64_t count = listener->Accept({ids, max}, args.When(1));
  if (count == kAgain || (count < 0 && listener->paused())) {
    listener->SetAwait(Side::kRead, Await::kOnce);
    args.environment().SyncRef();
  }
  return Number(env, count);
}

// recheck(id): the next accept asks the kernel, though no event has told of a connection
napi_value Recheck(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  if (auto* listener = args.Handle<Listener>(0)) listener->Recheck();
  return nullptr;
}

// refused(id): connections closed unseen because the table of descriptors was full
napi_value Refused(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const auto* listener = args.Handle<Listener>(0);
  return Number(env, listener == nullptr ? 0.0 : static_cast<double>(listener->refused()));
}

}  // namespace

std::span<const Function> ListenerFunctions() {
  static constexpr Function kFunctions[] = {
      {"accept", Accept},
      {"recheck", Recheck},
      {"refused", Refused},
  };
  return kFunctions;
}

}  // namespace spliceway
