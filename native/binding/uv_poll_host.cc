#include "binding/uv_poll_host.h"

namespace spliceway {

Status UvPollHost::Open(uv_loop_t* loop, Reactor* reactor, Guest* guest) {
  if (const int error = uv_poll_init(loop, &poll_, reactor->fd())) {
    return Error{"uv_poll_init", -error};
  }
  poll_.data = guest;
  uv_unref(handle());
  uv_poll_start(&poll_, UV_READABLE,
                [](uv_poll_t* poll, int, int) { static_cast<Guest*>(poll->data)->OnReady(); });
  return {};
}

}  // namespace spliceway
