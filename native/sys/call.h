// The system calls that tests make fail on purpose. Everywhere else in native/ these names are the
// C library's own functions; in the unit-test build they are the scripted ones of sys/fault.cc.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace spliceway::sys::call {

#ifdef SPLICEWAY_FAULTS
int connect(int fd, const sockaddr* to, socklen_t size);
ssize_t recv(int fd, void* p, size_t n, int flags);
ssize_t send(int fd, const void* p, size_t n, int flags);
ssize_t sendmsg(int fd, const msghdr* message, int flags);
ssize_t recvfrom(int fd, void* p, size_t n, int flags, sockaddr* from, socklen_t* size);
ssize_t sendto(int fd, const void* p, size_t n, int flags, const sockaddr* to, socklen_t size);
ssize_t recvmsg(int fd, msghdr* message, int flags);
ssize_t read(int fd, void* p, size_t n);
ssize_t write(int fd, const void* p, size_t n);
#else
using ::connect;
using ::read;
using ::recv;
using ::recvfrom;
using ::recvmsg;
using ::send;
using ::sendmsg;
using ::sendto;
using ::write;
#endif

}  // namespace spliceway::sys::call
