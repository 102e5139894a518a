// What is alike on Linux and the BSDs; the rest is in datagram_linux.cc and datagram_bsd.cc.
#include "sys/datagram.h"

#include "sys/call.h"
#include "sys/msghdr.h"
#include "sys/retry.h"

namespace spliceway::sys {

int64_t ReceiveFrom(int fd, void* p, size_t n, SockAddr* from) {
  return Retry([=] { return call::recvfrom(fd, p, n, 0, from->get(), from->room()); });
}

int64_t SendTo(int fd, const void* p, size_t n, const SockAddr* to) {
  if (to == nullptr) return Retry([=] { return call::send(fd, p, n, kSendFlags); });
  return Retry([=] { return call::sendto(fd, p, n, kSendFlags, to->get(), to->size()); });
}

int64_t ReceiveDatagram(int fd, Datagram* datagram) {
  msghdr message = ToReceive(datagram);
  const int64_t n = Retry([&] { return call::recvmsg(fd, &message, kReceiveFlags); });
  if (n >= 0) Received(message, static_cast<size_t>(n), datagram);
  return n;
}

int64_t SendDatagram(int fd, const Datagram& datagram) {
  const msghdr message = ToSend(datagram);
  return Retry([&] { return call::sendmsg(fd, &message, kSendFlags); });
}

}  // namespace spliceway::sys
