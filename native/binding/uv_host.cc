#include "binding/uv_host.h"

#include <utility>

namespace spliceway {

int UvHost::Open(uv_loop_t* loop, int fd, Seat* seat) {
  seat_ = seat;
  if (const int error = uv_poll_init(loop, &poll_, fd)) return error;
  poll_.data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_));
  return uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<UvHost*>(poll->data)->seat_->OnReady();
  });
}

void UvHost::SetRef(bool on) {
  ref_ = on;
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  on ? uv_ref(handle) : uv_unref(handle);
}

void UvHost::Close(std::function<void()> done) {
  done_ = std::move(done);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    // Called by value: what `done` destroys may include this host, and with it the function itself.
    const auto finished = std::move(static_cast<UvHost*>(handle->data)->done_);
    finished();
  });
}

}  // namespace spliceway
