#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sys/call_linux.h"
#include "sys/datagram.h"
#include "sys/msghdr.h"
#include "sys/retry.h"
#include "sys/sockopt.h"

namespace spliceway::sys {
namespace {

#ifndef UDP_SEGMENT
constexpr int UDP_SEGMENT = 103;  // since Linux 4.18; the C library's headers may be older
#endif

#ifndef UDP_GRO
constexpr int UDP_GRO = 104;  // since Linux 5.0
#endif

// Room for the one control message that says how long the pieces are: an int when it is received.
union SegmentControl {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

void AskForSegments(uint16_t size, SegmentControl* control, msghdr* message) {
  message->msg_control = control;
  message->msg_controllen = CMSG_SPACE(sizeof(size));
  cmsghdr* header = CMSG_FIRSTHDR(message);
  header->cmsg_level = IPPROTO_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(size));
  std::memcpy(CMSG_DATA(header), &size, sizeof(size));
}

uint16_t SegmentOf(const msghdr& message) {
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != IPPROTO_UDP || header->cmsg_type != UDP_GRO) {
    return 0;
  }
  int size = 0;
  std::memcpy(&size, CMSG_DATA(header), sizeof(size));
  return static_cast<uint16_t>(size);
}

}  // namespace

int64_t ReceiveDatagrams(int fd, std::span<Datagram> datagrams) {
  mmsghdr messages[kMaxDatagrams];
  SegmentControl controls[kMaxDatagrams];
  const size_t count = std::min(datagrams.size(), kMaxDatagrams);
  for (size_t i = 0; i < count; ++i) {
    messages[i] = {ToReceive(&datagrams[i]), 0};
    messages[i].msg_hdr.msg_control = &controls[i];
    messages[i].msg_hdr.msg_controllen = sizeof(controls[i]);
  }
  const int64_t got = Retry(
      [&] { return call::recvmmsg(fd, messages, static_cast<unsigned>(count), kReceiveFlags); });
  for (int64_t i = 0; i < got; ++i) {
    Datagram& datagram = datagrams[static_cast<size_t>(i)];
    datagram.segment = SegmentOf(messages[i].msg_hdr);
    messages[i].msg_hdr.msg_controllen = 0;
    Received(messages[i].msg_hdr, messages[i].msg_len, &datagram);
  }
  return got;
}

int64_t SendDatagrams(int fd, std::span<const Datagram> datagrams) {
  mmsghdr messages[kMaxDatagrams];
  SegmentControl controls[kMaxDatagrams];
  const size_t count = std::min(datagrams.size(), kMaxDatagrams);
  for (size_t i = 0; i < count; ++i) {
    messages[i] = {ToSend(datagrams[i]), 0};
    if (datagrams[i].segment == 0) continue;
    AskForSegments(datagrams[i].segment, &controls[i], &messages[i].msg_hdr);
  }
  return Retry(
      [&] { return call::sendmmsg(fd, messages, static_cast<unsigned>(count), kSendFlags); });
}

// Asked, because a kernel that is too old ignores the control message, and sends one long datagram.
bool CanSegment(int fd) { return GetInt(fd, IPPROTO_UDP, UDP_SEGMENT).ok(); }

void SetCoalescing(int fd, bool on) { (void)SetInt(fd, IPPROTO_UDP, UDP_GRO, on); }

// EIO: the device makes no checksums. EINVAL, EMSGSIZE: a piece is larger than the path takes.
bool SegmentingFailed(int error) {
  return error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP;
}

}  // namespace spliceway::sys
