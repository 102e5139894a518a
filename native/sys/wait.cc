// select(2) rather than poll(2), which macOS implements with a kqueue of its own: a kqueue, the
// descriptor this is for, cannot be relied on inside another (electron/electron#5378 found poll
// wanting and select working). The set is sized by hand, as select's limit of 1,024 descriptors is
// the C library's and not the kernels'; macOS wants to be told.
#define _DARWIN_UNLIMITED_SELECT 1

#include "sys/wait.h"

#include <sys/select.h>
#include <sys/types.h>

#include <cerrno>
#include <vector>

namespace spliceway::sys {

void WaitReadable(int fd) {
  const auto bit = static_cast<size_t>(fd);
  std::vector<fd_mask> set(bit / NFDBITS + 1);
  do {
    set[bit / NFDBITS] = fd_mask{1} << (bit % NFDBITS);
  } while (select(fd + 1, reinterpret_cast<fd_set*>(set.data()), nullptr, nullptr, nullptr) < 0 &&
           errno == EINTR);
}

}  // namespace spliceway::sys
