// A Datagram as the kernel wants it. For the files beside this one.
#pragma once

#include <sys/socket.h>

#include "sys/datagram.h"

namespace spliceway::sys {

// Descriptors that come with a message are close-on-exec.
#ifdef MSG_CMSG_CLOEXEC
inline constexpr int kReceiveFlags = MSG_CMSG_CLOEXEC;
#else
inline constexpr int kReceiveFlags = 0;
#endif

inline msghdr ToReceive(Datagram* datagram) {
  msghdr message{};
  message.msg_name = datagram->addr.get();
  message.msg_namelen = *datagram->addr.room();
  message.msg_iov = datagram->slices.data();
  message.msg_iovlen = datagram->slices.size();
  message.msg_control = datagram->control.empty() ? nullptr : datagram->control.data();
  message.msg_controllen = datagram->control.size();
  return message;
}

inline void Received(const msghdr& message, size_t size, Datagram* datagram) {
  *datagram->addr.room() = message.msg_namelen;
  datagram->control = datagram->control.first(message.msg_controllen);
  datagram->flags = message.msg_flags & ~kReceiveFlags;  // Linux gives it back
  datagram->truncated = (message.msg_flags & MSG_TRUNC) != 0;
  datagram->size = size;
}

inline msghdr ToSend(const Datagram& datagram) {
  msghdr message{};
  // The struct is shared with recvmsg; sendmsg writes to none of it.
  message.msg_name = const_cast<sockaddr*>(datagram.addr.get());
  message.msg_namelen = datagram.addr.size();
  if (message.msg_namelen == 0) message.msg_name = nullptr;
  message.msg_iov = const_cast<iovec*>(datagram.slices.data());
  message.msg_iovlen = datagram.slices.size();
  message.msg_control = datagram.control.empty() ? nullptr : datagram.control.data();
  message.msg_controllen = datagram.control.size();
  return message;
}

}  // namespace spliceway::sys
