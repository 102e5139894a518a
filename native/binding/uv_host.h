// A Reactor's seat in Node's own loop: how the loop learns that the reactor has something to do.
//
//   poll    one uv_poll on the reactor's descriptor: the poller nested in libuv's own.
//           Costs nothing.
//   thread  a thread that waits on the descriptor and wakes the loop: for systems on which a
//           kqueue inside another may never become readable. Costs two switches a visit.
//
// The default is poll on Linux and thread elsewhere; SPLICEWAY_SEAT=poll or =thread overrides it.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <string_view>

#include "core/reactor.h"
#include "sys/result.h"

namespace spliceway {

class UvHost {
 public:
  class Guest {
   public:
    virtual void OnReady() = 0;

   protected:
    ~Guest() = default;
  };

  // `seat` is the variable's value; any other than the two names stands for the default.
  static std::unique_ptr<UvHost> Create(std::string_view seat);
  virtual ~UvHost() = default;

  // The guest is called on the loop's thread while the reactor's descriptor is readable.
  virtual Status Open(uv_loop_t* loop, Reactor* reactor, Guest* guest) = 0;
  // Whether the seat keeps the loop, and with it the process, alive. At first it does not.
  void SyncRef(bool on) {
    if (on != ref_) SetRef(on);
  }
  // Ends in `done`, on the loop's thread, once nothing here touches the reactor or the loop.
  void Close(std::function<void()> done);

 protected:
  // The one handle in the loop, there from Open on.
  virtual uv_handle_t* handle() = 0;
  // The guest is not called and the reactor is not touched any more.
  virtual void Stop() = 0;

 private:
  void SetRef(bool on);

  std::function<void()> done_;
  bool ref_ = false;
};

}  // namespace spliceway
