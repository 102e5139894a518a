#include "sys/multicast.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "sys/socket.h"
#include "sys/sockopt.h"

namespace spliceway::sys {
namespace {

template <typename T>
Status Set(int fd, int level, int name, const T& value) {
  if (setsockopt(fd, level, name, &value, sizeof(value)) == 0) return {};
  return Error{"setsockopt", errno};
}

int FamilyOf(int fd) {
  const auto local = LocalAddr(fd);
  return local.ok() ? local.value().family() : AF_UNSPEC;
}

int LevelOf(const SockAddr& addr) { return addr.family() == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP; }

// An option with a name for each family. A socket of IPv6 may carry IPv4 as well; where it does
// not, the second call fails, and nothing is lost.
template <typename Value4, typename Value6>
Status SetBoth(int fd, int name4, const Value4& value4, int name6, const Value6& value6) {
  if (FamilyOf(fd) != AF_INET6) return Set(fd, IPPROTO_IP, name4, value4);
  (void)Set(fd, IPPROTO_IP, name4, value4);
  return Set(fd, IPPROTO_IPV6, name6, value6);
}

// The requests of RFC 3678 take either family, and an interface by its number.
Status Membership(int fd, int name, unsigned interface, const SockAddr& group) {
  group_req request{};
  request.gr_interface = interface;
  std::memcpy(&request.gr_group, group.get(), group.size());
  return Set(fd, LevelOf(group), name, request);
}

Status Membership(int fd, int name, unsigned interface, const SockAddr& group,
                  const SockAddr& source) {
  group_source_req request{};
  request.gsr_interface = interface;
  std::memcpy(&request.gsr_group, group.get(), group.size());
  std::memcpy(&request.gsr_source, source.get(), source.size());
  return Set(fd, LevelOf(group), name, request);
}

}  // namespace

unsigned InterfaceIndex(const char* name) { return if_nametoindex(name); }

Status JoinGroup(int fd, unsigned interface, const SockAddr& group, const SockAddr* source) {
  if (source == nullptr) return Membership(fd, MCAST_JOIN_GROUP, interface, group);
  return Membership(fd, MCAST_JOIN_SOURCE_GROUP, interface, group, *source);
}

Status LeaveGroup(int fd, unsigned interface, const SockAddr& group, const SockAddr* source) {
  if (source == nullptr) return Membership(fd, MCAST_LEAVE_GROUP, interface, group);
  return Membership(fd, MCAST_LEAVE_SOURCE_GROUP, interface, group, *source);
}

Status SetMulticastInterface(int fd, unsigned interface) {
  ip_mreqn request{};
  request.imr_ifindex = static_cast<int>(interface);
  return SetBoth(fd, IP_MULTICAST_IF, request, IPV6_MULTICAST_IF, interface);
}

// IPv4 takes a byte for these two on the BSDs, and an int as well on Linux.
Status SetMulticastLoopback(int fd, bool on) {
  const auto byte = static_cast<uint8_t>(on);
  return SetBoth(fd, IP_MULTICAST_LOOP, byte, IPV6_MULTICAST_LOOP, static_cast<unsigned>(on));
}

Status SetMulticastHops(int fd, int hops) {
  return SetBoth(fd, IP_MULTICAST_TTL, static_cast<uint8_t>(hops), IPV6_MULTICAST_HOPS, hops);
}

Status SetHops(int fd, int hops) { return SetBoth(fd, IP_TTL, hops, IPV6_UNICAST_HOPS, hops); }

Status ShareForMulticast(int fd) {
#ifdef __linux__
  return SetReuseAddr(fd);
#else
  const Status reuse = SetReuseAddr(fd);
  return reuse.ok() ? SetReusePort(fd) : reuse;
#endif
}

}  // namespace spliceway::sys
