#include "binding/closing.h"

#include <memory>

#include "binding/args.h"
#include "binding/environment.h"
#include "binding/functions.h"

namespace spliceway {

// Any handle will do, as it is closed before it was ever started.
ClosingVisit* ClosingVisit::Schedule(uv_loop_t* loop, Environment* environment) {
  auto* visit = new ClosingVisit(environment);
  if (uv_check_init(loop, &visit->handle_) != 0) {
    delete visit;
    return nullptr;
  }
  visit->handle_.data = visit;
  uv_close(reinterpret_cast<uv_handle_t*>(&visit->handle_), OnClosed);
  return visit;
}

void ClosingVisit::OnClosed(uv_handle_t* handle) {
  const std::unique_ptr<ClosingVisit> self(static_cast<ClosingVisit*>(handle->data));
  if (self->environment_ != nullptr) self->environment_->OnClosingPhase();
}

namespace {

// setupClosing(callback): what visitClosingPhase() calls
napi_value SetupClosing(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  args.environment().SetupClosing(args[0]);
  return nullptr;
}

// visitClosingPhase(): the callback runs once in the loop's next closing phase, and the process
// lives until then
napi_value VisitClosingPhase(napi_env env, napi_callback_info info) {
  const Args<0> args(env, info);
  args.environment().VisitClosingPhase();
  return nullptr;
}

}  // namespace

std::span<const Function> ClosingFunctions() {
  static constexpr Function kFunctions[] = {{"setupClosing", SetupClosing},
                                            {"visitClosingPhase", VisitClosingPhase}};
  return kFunctions;
}

}  // namespace spliceway
