#include "sys/unix.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sys/call.h"
#include "sys/fd.h"

#ifdef __FreeBSD__
#include <sys/param.h>
#include <sys/ucred.h>
#endif

namespace spliceway::sys {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;     // macOS: SO_NOSIGPIPE was set on the socket
#endif

#ifdef MSG_CMSG_CLOEXEC
constexpr int kReceiveFlags = MSG_CMSG_CLOEXEC;
#else
constexpr int kReceiveFlags = 0;  // macOS: set one by one below, with the window that it has
#endif

// Room for a control message with descriptors, aligned as its header has to be.
union Control {
  cmsghdr align;
  char bytes[CMSG_SPACE(kMaxPassedFds * sizeof(int))];
};

msghdr Message(iovec* slice, Control* control, size_t fds) {
  msghdr message{};
  message.msg_iov = slice;
  message.msg_iovlen = 1;
  message.msg_control = control->bytes;
  // Not CMSG_SPACE: the padding would be room for one more than asked.
  message.msg_controllen = CMSG_LEN(fds * sizeof(int));
  return message;
}

void CloseAll(std::span<const int32_t> fds) {
  for (const int32_t fd : fds) OwnFd(fd).Reset();
}

// Every descriptor in the message is open here, and nobody else's: each is put into `fds`, or
// closed where that has no room. How many there were.
size_t TakeFds(msghdr* message, std::span<int32_t> fds) {
  size_t count = 0;
  for (cmsghdr* c = CMSG_FIRSTHDR(message); c != nullptr; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t in_message = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < in_message; ++i, ++count) {
      int number;
      std::memcpy(&number, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      OwnFd fd(number);
      if (kReceiveFlags == 0) fcntl(number, F_SETFD, FD_CLOEXEC);
      if (count < fds.size()) fds[count] = fd.Release();
    }
  }
  return count;
}

}  // namespace

int64_t SendFds(int fd, const void* p, size_t n, std::span<const int32_t> fds) {
  if (fds.empty() || fds.size() > kMaxPassedFds) return -EINVAL;
  iovec slice{const_cast<void*>(p), n};  // the struct is shared with recvmsg; not written
  Control control{};
  msghdr message = Message(&slice, &control, fds.size());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  for (;;) {
    const ssize_t sent = call::sendmsg(fd, &message, kSendFlags);
    if (sent >= 0) return sent;
    if (errno != EINTR) return -errno;
  }
}

ReceivedFds ReceiveFds(int fd, void* p, size_t n, std::span<int32_t> fds) {
  iovec slice{p, n};
  Control control{};
  const size_t room = std::min(fds.size(), kMaxPassedFds);
  msghdr message = Message(&slice, &control, room);
  ssize_t got;
  do {
    got = recvmsg(fd, &message, kReceiveFlags);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return {-errno, 0, false};
  const size_t count = TakeFds(&message, fds.first(room));
  if ((message.msg_flags & MSG_CTRUNC) == 0 && count <= room) return {got, count, false};
  CloseAll(fds.first(std::min(count, room)));
  return {got, 0, true};
}

#if defined(SO_PEERCRED) && defined(__linux__)
Result<Credentials> PeerCredentials(int fd) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return Error{"getsockopt", errno};
  return Credentials{peer.uid, peer.gid, peer.pid};
}
#else
Result<Credentials> PeerCredentials(int fd) {
  Credentials peer{};
  if (getpeereid(fd, &peer.uid, &peer.gid) < 0) return Error{"getpeereid", errno};
#if defined(LOCAL_PEERPID)
  pid_t pid = 0;
  socklen_t size = sizeof(pid);
  if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &size) == 0) peer.pid = pid;
#elif defined(__FreeBSD__) && __FreeBSD_version >= 1300030
  xucred more{};
  socklen_t size = sizeof(more);
  if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &more, &size) == 0) peer.pid = more.cr_pid;
#endif
  return peer;
}
#endif

}  // namespace spliceway::sys
