#include "binding/uv_loop_gauge.h"

#include <algorithm>
#include <memory>

#include "sys/clock.h"

namespace spliceway {

void UvLoopGauge::Start(uv_loop_t* loop) {
  if (handles_ != nullptr) return;
  uv_loop_configure(loop, UV_METRICS_IDLE_TIME);  // Node has done so for loops of its own
  const std::lock_guard lock(mutex_);
  loop_ = loop;
  since_ = MonotonicNow();
  auto handles = std::make_unique<Handles>();
  handles->gauge = this;
  handles->open = 2;
  // None of these can fail.
  uv_prepare_init(loop, &handles->prepare);
  uv_check_init(loop, &handles->check);
  handles->prepare.data = handles->check.data = handles.get();
  uv_prepare_start(&handles->prepare, OnPrepare);
  uv_check_start(&handles->check, OnCheck);
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles->prepare));
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles->check));
  handles_ = handles.release();  // the loop's from now on
}

void UvLoopGauge::Stop() {
  if (handles_ == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->prepare), OnClosed);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->check), OnClosed);
  handles_ = nullptr;
}

void UvLoopGauge::OnPrepare(uv_prepare_t* prepare) {
  UvLoopGauge* self = static_cast<Handles*>(prepare->data)->gauge;
  const std::lock_guard lock(self->mutex_);
  self->looking_ = true;
  self->since_ = MonotonicNow();
  self->idle_ = uv_metrics_idle_time(self->loop_);
}

void UvLoopGauge::OnCheck(uv_check_t* check) {
  UvLoopGauge* self = static_cast<Handles*>(check->data)->gauge;
  const std::lock_guard lock(self->mutex_);
  self->looking_ = false;
  self->since_ = MonotonicNow();
}

void UvLoopGauge::OnClosed(uv_handle_t* handle) {
  auto* handles = static_cast<Handles*>(handle->data);
  if (--handles->open == 0) std::unique_ptr<Handles>(handles).reset();
}

// While the loop waits its idle time grows from one moment to the next. Where it does not, what has
// passed since the loop began to look, apart from what it waited, is for how long it has been
// called back.
int64_t UvLoopGauge::StuckFor(int64_t now) {
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr) return 0;
  if (!looking_) return std::max<int64_t>(now - since_, 0);
  const uint64_t before = uv_metrics_idle_time(loop_);
  const uint64_t idle = uv_metrics_idle_time(loop_);
  if (idle > before) return 0;
  return std::max<int64_t>(now - since_ - static_cast<int64_t>(idle - idle_), 0);
}

}  // namespace spliceway
