// What every sending or receiving call has in common.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace spliceway::sys {

#ifdef MSG_NOSIGNAL
inline constexpr int kSendFlags = MSG_NOSIGNAL;
#else
inline constexpr int kSendFlags = 0;  // macOS: SO_NOSIGPIPE was set on the socket
#endif

// What the call returns, or a negative errno; EINTR is tried again.
template <typename Call>
int64_t Retry(Call call) {
  for (;;) {
    const auto n = call();
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace spliceway::sys
