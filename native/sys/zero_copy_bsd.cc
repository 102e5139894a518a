// macOS and the BSDs have no splice; sendfile is there, with an interface of its own on each.
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "sys/zero_copy.h"

namespace spliceway::sys {

int64_t Splice(int, int, size_t) { return kUnhandled; }

Result<PipeFds> OpenPipe(size_t) { return Error{"pipe", ENOSYS}; }

size_t PipeBudget() { return 0; }

#ifdef __APPLE__
// It takes an offset and leaves the file's position alone, which callers without one expect to
// move.
int64_t SendFile(int to, int file, size_t n, int64_t* offset) {
  const off_t position = offset != nullptr ? *offset : lseek(file, 0, SEEK_CUR);
  if (position < 0) return kUnhandled;
  off_t count = static_cast<off_t>(n);
  const int result = sendfile(file, to, position, &count, nullptr, 0);
  // EAGAIN and EINTR come with a count of what was sent all the same.
  if (count > 0) {
    if (offset != nullptr)
      *offset += count;
    else
      lseek(file, position + count, SEEK_SET);
    return count;
  }
  if (result == 0) return 0;
  const bool cannot =
      errno == EINVAL || errno == ENOTSUP || errno == ENOTSOCK || errno == EOPNOTSUPP;
  return cannot ? kUnhandled : errno == EINTR ? -EAGAIN : -errno;
}
#else
int64_t SendFile(int, int, size_t, int64_t*) { return kUnhandled; }
#endif

}  // namespace spliceway::sys
