#include "sys/linger.h"

#include <sys/socket.h>

#include <atomic>

#include "sys/sockopt.h"
#include "sys/thread.h"

namespace spliceway::sys {
namespace {

// Of the whole process, as threads are. Neither has a destructor that could run before the last of
// the threads is done.
std::atomic<int> lingering = 0;

bool CloseOnThread(int fd) {
  auto thread = Thread::Start([fd] {
    OwnFd(fd).Reset();
    --lingering;
  });
  if (thread.ok()) thread.value().Detach();
  return thread.ok();
}

}  // namespace

bool Lingers(int fd) {
  linger value{};
  socklen_t size = sizeof(value);
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &size) < 0) return false;
  return value.l_onoff != 0 && value.l_linger > 0;
}

void CloseLingering(OwnFd fd) {
  if (++lingering <= kLingeringAtMost && CloseOnThread(fd.get())) {
    fd.Release();  // the thread's now
    return;
  }
  --lingering;
  // It fails only for what does not linger.
  (void)SetLinger(fd.get(), -1).ok();
}

}  // namespace spliceway::sys
