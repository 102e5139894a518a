// The gauge of Node's loop: where in its round it is, and whether the kernel is what it waits for.
#pragma once

#include <uv.h>

#include <cstdint>
#include <mutex>

#include "session/loop_gauge.h"

namespace spliceway {

// uv_prepare and uv_check stand before and after the loop's look at the kernel. In between libuv
// not only waits but also calls back whoever waited, so the time that it waited is asked for as
// well.
class UvLoopGauge final : public LoopGauge {
 public:
  // On the loop's thread; again, it does nothing. Until then nothing is known of the loop.
  void Start(uv_loop_t* loop);
  // Before the loop ends.
  void Stop();

  int64_t StuckFor(int64_t now) override;

 private:
  // In the loop until libuv has let go of both, which may be after this is gone.
  struct Handles {
    uv_prepare_t prepare;
    uv_check_t check;
    UvLoopGauge* gauge;
    int open;
  };

  static void OnPrepare(uv_prepare_t* prepare);
  static void OnCheck(uv_check_t* check);
  static void OnClosed(uv_handle_t* handle);

  uv_loop_t* loop_ = nullptr;
  Handles* handles_ = nullptr;  // the loop's

  std::mutex mutex_;
  bool looking_ = false;  // at the kernel
  int64_t since_ = 0;     // when that began, or ended
  uint64_t idle_ = 0;     // how long the loop had waited in all when it began
};

}  // namespace spliceway
