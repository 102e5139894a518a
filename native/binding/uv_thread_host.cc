#include "binding/uv_thread_host.h"

#include "sys/wait.h"

namespace spliceway {

// The thread comes first, as it can be taken back at once: a handle that has entered the loop
// leaves it only through a callback.
Status UvThreadHost::Open(uv_loop_t* loop, Reactor* reactor, Guest* guest) {
  reactor_ = reactor;
  guest_ = guest;
  if (const int error = uv_sem_init(&turn_, 0)) return Error{"uv_sem_init", -error};
  const auto watch = [](void* self) { static_cast<UvThreadHost*>(self)->Watch(); };
  if (const int error = uv_thread_create(&thread_, watch, this)) {
    uv_sem_destroy(&turn_);
    return Error{"uv_thread_create", -error};
  }
  async_.data = this;
  const int error = uv_async_init(
      loop, &async_, [](uv_async_t* async) { static_cast<UvThreadHost*>(async->data)->Visit(); });
  if (error != 0) {
    Stop();
    return Error{"uv_async_init", -error};
  }
  uv_unref(handle());
  uv_sem_post(&turn_);
  return {};
}

void UvThreadHost::Watch() {
  for (;;) {
    uv_sem_wait(&turn_);
    if (stopping_) return;
    sys::WaitReadable(reactor_->fd());
    if (stopping_) return;
    uv_async_send(&async_);
  }
}

void UvThreadHost::Visit() {
  guest_->OnReady();
  uv_sem_post(&turn_);
}

// From wherever the thread is, it takes at most one step to where it sees that it should stop.
void UvThreadHost::Stop() {
  stopping_ = true;
  uv_sem_post(&turn_);
  reactor_->Wake();
  uv_thread_join(&thread_);
  uv_sem_destroy(&turn_);
}

}  // namespace spliceway
