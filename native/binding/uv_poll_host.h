// The seat of one uv_poll.
#pragma once

#include <uv.h>

#include "binding/uv_host.h"

namespace spliceway {

class UvPollHost final : public UvHost {
 public:
  Status Open(uv_loop_t* loop, Reactor* reactor, Guest* guest) override;

 protected:
  uv_handle_t* handle() override { return reinterpret_cast<uv_handle_t*>(&poll_); }
  void Stop() override {}  // uv_close does

 private:
  uv_poll_t poll_{};
};

}  // namespace spliceway
