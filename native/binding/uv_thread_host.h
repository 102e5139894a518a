// The seat of a thread that waits in the loop's place:
//
//   its thread   waits until the descriptor is readable ── uv_async_send ──▶ waits for its turn
//   the loop     calls the guest, which turns the reactor ── uv_sem_post ──▶ goes on
//
// They alternate. While the guest is at it nobody looks at the descriptor, which would only be
// found readable still; after it, whatever is left makes the descriptor readable (Reactor::Leave).
#pragma once

#include <uv.h>

#include <atomic>

#include "binding/uv_host.h"

namespace spliceway {

class UvThreadHost final : public UvHost {
 public:
  Status Open(uv_loop_t* loop, Reactor* reactor, Guest* guest) override;

 protected:
  uv_handle_t* handle() override { return reinterpret_cast<uv_handle_t*>(&async_); }
  void Stop() override;

 private:
  void Watch();
  void Visit();

  Reactor* reactor_ = nullptr;
  Guest* guest_ = nullptr;
  uv_async_t async_{};
  uv_thread_t thread_{};
  uv_sem_t turn_{};  // posted once for each time that the thread may wait for the descriptor
  std::atomic<bool> stopping_ = false;
};

}  // namespace spliceway
