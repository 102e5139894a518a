// Options of datagram sockets: hop limits, and groups that many machines listen to. Each is set for
// the socket's own family, and on one that carries both, for IPv4 too.
#pragma once

#include <cstdint>

#include "sys/result.h"
#include "sys/sockaddr.h"

namespace spliceway::sys {

// The number of a network interface; 0 if there is none of that name.
unsigned InterfaceIndex(const char* name);

// `interface` 0: the system's choice. `source` null: whoever sends to the group.
Status JoinGroup(int fd, unsigned interface, const SockAddr& group, const SockAddr* source);
Status LeaveGroup(int fd, unsigned interface, const SockAddr& group, const SockAddr* source);

// Which interface sends to groups, whether this machine hears what it sends, and how far that goes.
Status SetMulticastInterface(int fd, unsigned interface);
Status SetMulticastLoopback(int fd, bool on);
Status SetMulticastHops(int fd, int hops);
// How far everything else goes: TTL, hop limit.
Status SetHops(int fd, int hops);

// Before bind: others may listen to the same groups at the same port.
Status ShareForMulticast(int fd);

}  // namespace spliceway::sys
