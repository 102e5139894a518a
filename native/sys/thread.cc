#include "sys/thread.h"

#include <csignal>
#include <memory>

namespace spliceway::sys {
namespace {

void* RunBody(void* raw) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(raw));
  (*body)();
  return nullptr;
}

}  // namespace

Result<Thread> Thread::Start(std::function<void()> body) {
  auto own = std::make_unique<std::function<void()>>(std::move(body));
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t handle;
  const int failed = pthread_create(&handle, nullptr, RunBody, own.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) return Error{"pthread_create", failed};
  (void)own.release();  // the thread's now
  return Thread(handle);
}

// Neither fails for a handle that is ours and was neither joined nor detached.
void Thread::Join() {
  if (handle_) pthread_join(*std::exchange(handle_, std::nullopt), nullptr);
}

void Thread::Detach() {
  if (handle_) pthread_detach(*std::exchange(handle_, std::nullopt));
}

}  // namespace spliceway::sys
