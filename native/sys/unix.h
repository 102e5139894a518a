// What only Unix sockets can do: say who is at the other end, and carry descriptors.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "sys/result.h"

namespace spliceway::sys {

// Who the other end was when it connected, listened or made the pair.
struct Credentials {
  uid_t uid;
  gid_t gid;
  std::optional<pid_t> pid;  // not told everywhere
};
Result<Credentials> PeerCredentials(int fd);

// As many as the kernels carry in one message (SCM_MAX_FD of Linux).
inline constexpr size_t kMaxPassedFds = 253;

// Sends bytes, at least one, and with the first of them duplicates of the descriptors: a count, or
// a negative errno. With fewer bytes taken than given the descriptors have gone all the same.
int64_t SendFds(int fd, const void* p, size_t n, std::span<const int32_t> fds);

struct ReceivedFds {
  int64_t bytes;  // a count, 0 at the end of the stream, or a negative errno
  size_t count;   // of descriptors, which are the caller's, at the start of `fds`
  bool
      truncated;  // there were more, or no room in the table: all of them are closed, none is given
};
// Takes bytes, and the descriptors that came with them, close-on-exec from the moment they are
// here.
ReceivedFds ReceiveFds(int fd, void* p, size_t n, std::span<int32_t> fds);

}  // namespace spliceway::sys
