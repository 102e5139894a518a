// The Linux-only part of sys/call.h: system calls that tests make fail on purpose.
#pragma once

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace spliceway::sys::call {

#ifdef SPLICEWAY_FAULTS
int accept4(int fd, sockaddr* peer, socklen_t* size, int flags);
ssize_t splice(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t n,
               unsigned flags);
ssize_t sendfile(int to, int from, off_t* offset, size_t n);
int pipe2(int fds[2], int flags);
int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags);
int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags);
#else
using ::accept4;
using ::pipe2;
using ::sendfile;
using ::sendmmsg;
using ::splice;

inline int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  return ::recvmmsg(fd, messages, count, flags, nullptr);
}
#endif

}  // namespace spliceway::sys::call
