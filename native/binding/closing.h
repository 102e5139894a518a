// libuv's closing phase, for JavaScript: where handles of Node's own tell that they are closed,
// after the immediates of the same iteration and before its loop goes round again.
#pragma once

#include <node_api.h>
#include <uv.h>

namespace spliceway {

class Environment;

// One visit to the phase. It lives in the loop until then, whatever becomes of the environment.
class ClosingVisit {
 public:
  // Null where the loop refuses. The environment is visited once, unless it forgets the visit.
  static ClosingVisit* Schedule(uv_loop_t* loop, Environment* environment);
  void Forget() { environment_ = nullptr; }

 private:
  explicit ClosingVisit(Environment* environment) : environment_(environment) {}
  static void OnClosed(uv_handle_t* handle);

  uv_check_t handle_{};
  Environment* environment_;
};

}  // namespace spliceway
