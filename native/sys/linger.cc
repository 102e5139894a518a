#include "sys/linger.h"

#include <pthread.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <cstdint>

#include "sys/sockopt.h"

namespace spliceway::sys {
namespace {

// Of the whole process, as threads are. Neither has a destructor that could run before the last of
// the threads is done.
std::atomic<int> lingering = 0;

void* CloseOnThread(void* number) {
  OwnFd(static_cast<int>(reinterpret_cast<intptr_t>(number))).Reset();
  --lingering;
  return nullptr;
}

// With all signals blocked: one that this thread took would end the wait, and its handler is meant
// for another.
bool StartThread(int fd) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  void* number = reinterpret_cast<void*>(static_cast<intptr_t>(fd));
  const int failed = pthread_create(&thread, &attributes, CloseOnThread, number);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return failed == 0;
}

}  // namespace

bool Lingers(int fd) {
  linger value{};
  socklen_t size = sizeof(value);
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size) < 0) return false;
  return value.l_onoff != 0 && value.l_linger > 0;
}

void CloseLingering(OwnFd fd) {
  if (++lingering <= kLingeringAtMost && StartThread(fd.get())) {
    fd.Release();  // the thread's now
    return;
  }
  --lingering;
  // It fails only for what does not linger.
  (void)SetLinger(fd.get(), -1).ok();
}

}  // namespace spliceway::sys
