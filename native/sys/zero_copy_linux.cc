#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>

#include "sys/call_linux.h"
#include "sys/zero_copy.h"

namespace spliceway::sys {
namespace {

// EINVAL: one of the two cannot be spliced (a file opened for appending, an odd file system).
// ENOSYS: a sandbox without the call. EOVERFLOW: from an offset past what the file system could
// hold, where a read finds the end of the file.
bool CannotBeHandled(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EOVERFLOW;
}

template <typename Call>
int64_t Retry(Call call) {
  for (;;) {
    const ssize_t n = call();
    if (n >= 0) return n;
    if (errno != EINTR) return CannotBeHandled(errno) ? kUnhandled : -errno;
  }
}

// pipe(7): the largest that an unprivileged process may ask for is in pipe-max-size, 1 MiB by
// default; the soft limit per user makes F_SETPIPE_SZ fail with EPERM.
size_t Resize(int pipe, size_t wanted) {
  for (size_t size = wanted; size >= 64 * 1024; size /= 2) {
    const int got = fcntl(pipe, F_SETPIPE_SZ, static_cast<int>(size));
    if (got > 0) return static_cast<size_t>(got);
  }
  const int got = fcntl(pipe, F_GETPIPE_SZ);
  return got > 0 ? static_cast<size_t>(got) : 4096;
}

}  // namespace

// No SPLICE_F_MORE: it holds small messages back for up to 200 ms (golang/go#10948).
int64_t Splice(int from, int to, size_t n) {
  return Retry([=] {
    return call::splice(from, nullptr, to, nullptr, n, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  });
}

int64_t SendFile(int to, int file, size_t n, int64_t* offset) {
  static_assert(sizeof(off_t) == sizeof(int64_t));
  return Retry([=] { return call::sendfile(to, file, reinterpret_cast<off_t*>(offset), n); });
}

Result<PipeFds> OpenPipe(size_t wanted) {
  int fds[2];
  if (call::pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) return Error{"pipe2", errno};
  PipeFds pipe{OwnFd(fds[0]), OwnFd(fds[1])};
  pipe.capacity = Resize(fds[1], wanted);
  return pipe;
}

// pipe(7): the soft limit binds whoever has neither CAP_SYS_RESOURCE nor CAP_SYS_ADMIN; root is
// taken to have them. Where it has not, the kernel hands out smaller pipes, and we copy.
size_t PipeBudget() {
  if (geteuid() == 0) return SIZE_MAX;
  const OwnFd file(open("/proc/sys/fs/pipe-user-pages-soft", O_RDONLY | O_CLOEXEC));
  char text[24];
  const ssize_t length = file ? read(file.get(), text, sizeof(text)) : -1;
  size_t pages = 16384;  // the kernel's default, where /proc is not there to be asked
  if (length > 0) std::from_chars(text, text + length, pages);
  return pages == 0 ? SIZE_MAX : pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace spliceway::sys
