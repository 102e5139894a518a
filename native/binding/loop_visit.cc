#include "binding/loop_visit.h"

#include <memory>

#include "binding/args.h"
#include "binding/environment.h"
#include "binding/functions.h"

namespace spliceway {

// uv_prepare runs right behind the pending phase. For the closing phase any handle will do, as it
// is closed before it was ever started.
LoopVisit* LoopVisit::Schedule(uv_loop_t* loop, Environment* environment, Phase phase) {
  std::unique_ptr<LoopVisit> visit(new LoopVisit(environment));
  if (uv_prepare_init(loop, &visit->prepare_) != 0) return nullptr;
  visit->prepare_.data = visit.get();
  if (phase == Phase::kClosing) {
    visit->Close(OnClosing);
  } else {
    uv_prepare_start(&visit->prepare_, OnPending);
  }
  return visit.release();  // the loop's from now on
}

void LoopVisit::CallOff() {
  environment_ = nullptr;
  if (uv_is_closing(handle()) == 0) Close(Delete);
}

void LoopVisit::Close(uv_close_cb on_closed) { uv_close(handle(), on_closed); }

void LoopVisit::OnPending(uv_prepare_t* prepare) {
  auto* self = static_cast<LoopVisit*>(prepare->data);
  self->Close(Delete);
  self->environment_->OnPendingPhase();
}

void LoopVisit::OnClosing(uv_handle_t* handle) {
  const std::unique_ptr<LoopVisit> self(static_cast<LoopVisit*>(handle->data));
  if (self->environment_ != nullptr) self->environment_->OnClosingPhase();
}

void LoopVisit::Delete(uv_handle_t* handle) { delete static_cast<LoopVisit*>(handle->data); }

namespace {

// setupPhases(onPending, onClosing): what the two calls below have called
napi_value SetupPhases(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  args.environment().SetupPhases(args[0], args[1]);
  return nullptr;
}

// visitPendingPhase(): once, before the loop's next look at the kernel
napi_value VisitPendingPhase(napi_env env, napi_callback_info info) {
  const Args<0> args(env, info);
  args.environment().VisitPendingPhase();
  return nullptr;
}

// visitClosingPhase(): once, in the loop's next closing phase
napi_value VisitClosingPhase(napi_env env, napi_callback_info info) {
  const Args<0> args(env, info);
  args.environment().VisitClosingPhase();
  return nullptr;
}

}  // namespace

std::span<const Function> LoopVisitFunctions() {
  static constexpr Function kFunctions[] = {{"setupPhases", SetupPhases},
                                            {"visitPendingPhase", VisitPendingPhase},
                                            {"visitClosingPhase", VisitClosingPhase}};
  return kFunctions;
}

}  // namespace spliceway
