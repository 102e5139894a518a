#include "sys/io.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "sys/call.h"
#include "sys/retry.h"

namespace spliceway::sys {
namespace {

#ifndef IOV_MAX
constexpr size_t IOV_MAX = 1024;
#endif

}  // namespace

int64_t Receive(int fd, void* p, size_t n) {
  return Retry([=] { return call::recv(fd, p, n, 0); });
}

int64_t Peek(int fd, void* p, size_t n) {
  return Retry([=] { return call::recv(fd, p, n, MSG_PEEK); });
}

int64_t Send(int fd, const void* p, size_t n) {
  return Retry([=] { return call::send(fd, p, n, kSendFlags); });
}

int64_t ReadFile(int fd, void* p, size_t n) {
  return Retry([=] { return call::read(fd, p, n); });
}

int64_t ReadFileAt(int fd, void* p, size_t n, int64_t offset) {
  return Retry([=] { return pread(fd, p, n, offset); });
}

int64_t WriteFile(int fd, const void* p, size_t n) {
  return Retry([=] { return call::write(fd, p, n); });
}

int64_t SendVector(int fd, const iovec* slices, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(slices);  // the struct is shared with recvmsg; not written
  message.msg_iovlen = std::min<size_t>(count, IOV_MAX);
  return Retry([&] { return call::sendmsg(fd, &message, kSendFlags); });
}

}  // namespace spliceway::sys
