// Loading: one Environment for each JavaScript environment, and the exports.
#include <napi.h>

#include "binding/args.h"
#include "binding/environment.h"
#include "binding/functions.h"

namespace spliceway {
namespace {

// setup(dispatch, records, scratch)
napi_value Setup(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  args.environment().Setup(args[0], args[1], args[2]);
  return nullptr;
}

// openHandles(): how many sockets, streams and listeners this environment holds
napi_value OpenHandles(napi_env env, napi_callback_info info) {
  const Args<0> args(env, info);
  return Number(env, static_cast<int64_t>(args.reactor().size()));
}

// throwUncaught(error): as if nobody had caught it, here and now
napi_value ThrowUncaught(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  napi_fatal_exception(env, args[0]);
  return nullptr;
}

void Export(napi_env env, napi_value exports, Environment* environment,
            std::span<const Function> functions) {
  for (const Function& f : functions) {
    napi_value function = nullptr;
    napi_create_function(env, f.name, NAPI_AUTO_LENGTH, f.callback, environment, &function);
    napi_set_named_property(env, exports, f.name, function);
  }
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto environment = Environment::Create(env);
  if (environment == nullptr) return exports;  // the exception is on its way
  static constexpr Function kOwn[] = {
      {"setup", Setup}, {"openHandles", OpenHandles}, {"throwUncaught", ThrowUncaught}};
  Environment* raw = environment.release();
  env.SetInstanceData(raw);  // deleted once the environment's cleanup hooks are through
  for (const auto& functions :
       {std::span<const Function>(kOwn), HandleFunctions(), StreamFunctions(), ListenerFunctions(),
        SocketFunctions(), OptionFunctions(), AdoptFunctions(), InfoFunctions(), UnixFunctions(),
        TransferFunctions(), PacketFunctions(), MulticastFunctions(), CodecFunctions(),
        HealthFunctions(), LoopVisitFunctions(), SpliceFunctions(), SessionFunctions(),
        ChaosFunctions()}) {
    Export(env, exports, raw, functions);
  }
  return exports;
}

}  // namespace

NODE_API_MODULE(spliceway, Init)

}  // namespace spliceway
