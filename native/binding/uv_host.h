// A Reactor's seat in Node's own loop: one uv_poll on the reactor's descriptor.
#pragma once

#include <uv.h>

#include <functional>

namespace spliceway {

class UvHost {
 public:
  class Seat {
   public:
    virtual void OnReady() = 0;

   protected:
    ~Seat() = default;
  };

  // 0, or libuv's negative error. `seat` is called on the loop's thread whenever fd is readable.
  int Open(uv_loop_t* loop, int fd, Seat* seat);
  void SyncRef(bool on) {
    if (on != ref_) SetRef(on);
  }
  // Ends in `done`, on the loop's thread, once libuv is finished with the descriptor.
  void Close(std::function<void()> done);

 private:
  void SetRef(bool on);

  uv_poll_t poll_{};
  Seat* seat_ = nullptr;
  std::function<void()> done_;
  bool ref_ = false;
};

}  // namespace spliceway
