// Visits to two phases of libuv's loop, for JavaScript that tells its events when Node tells its
// own.
//
//   pending   before the next look at the kernel: what was known at once but is told later
//   closing   after the immediates of the same iteration: that a handle is closed
#pragma once

#include <node_api.h>
#include <uv.h>

namespace spliceway {

class Environment;

// One visit. It lives in the loop until then, whatever becomes of the environment, and keeps the
// process alive until then.
class LoopVisit {
 public:
  enum class Phase { kPending, kClosing };

  // Null where the loop refuses. The environment is visited once, unless the visit is called off.
  static LoopVisit* Schedule(uv_loop_t* loop, Environment* environment, Phase phase);
  // The environment ends.
  void CallOff();

 private:
  explicit LoopVisit(Environment* environment) : environment_(environment) {}
  void Close(uv_close_cb on_closed);
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&prepare_); }
  static void OnPending(uv_prepare_t* prepare);
  static void OnClosing(uv_handle_t* handle);
  static void Delete(uv_handle_t* handle);

  uv_prepare_t prepare_{};
  Environment* environment_;
};

}  // namespace spliceway
